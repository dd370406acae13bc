"""What sources of texts share: which texts count as the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Literal

from latentmap.samples.source import SourceOptions
from latentmap.store.files import digest

Sameness = Literal["exact", "normalised"]


class TextSourceOptions(SourceOptions):
    """Options of every source of texts.

    Attributes:
        deduplicate: set a row aside whose text an earlier row has, of whatever source with the same
            setting: `exact`ly, or `normalised` (Unicode NFKC, without case, white space as one
            space each).
    """

    deduplicate: Sameness | None = None


def contents(texts: Iterable[str | None], same: Sameness) -> list[str | None]:
    """Return what texts that count as the same have in common; null for a row without text."""
    return [digest(same, _comparable(text, same)) if text else None for text in texts]


def _comparable(text: str, same: Sameness) -> str:
    if same == "exact":
        return text
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
