"""Options of the explorer."""

from __future__ import annotations

from pydantic import Field

from latentmap.config import Options


class ExplorerOptions(Options):
    """What the explorer of a run has.

    Attributes:
        pictures: with thumbnails and whole pictures.
        text: with texts, and columns of long texts.
        neighbors: with the nearest neighbors in so many embeddings: the best of those that have
            maps, then others.
    """

    pictures: bool = True
    text: bool = True
    neighbors: int = Field(default=12, ge=0)
