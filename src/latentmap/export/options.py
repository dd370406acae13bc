"""Options of what a run exports."""

from __future__ import annotations

from string import Formatter
from typing import Literal

from pydantic import Field, field_validator

from latentmap.config import Options, UserPath

Format = Literal["npz", "npy", "safetensors", "parquet"]

PLACES = ("encoder", "variant")
"""What may stand in braces in the path of a cache."""


class ExportOptions(Options):
    """What a run writes for other tools.

    Attributes:
        formats: in which `snakemake exports` writes latents and embeddings.
        latents: write the latents too, which are larger than all else.
        cache: path of an `.npz` file of latents (float32), metadata and thumbnails that the run
            itself writes, as the first scripts did; where it has several encoders or variants, with
            `{encoder}` and `{variant}` in it.
        prefix: put before the names of the files that `snakemake coords` puts beside a cache of
            embeddings.
        pages: let `snakemake coords` put each map's page there too, as one file.
        overwrite: whether `snakemake coords` may replace other files beside a cache.
    """

    formats: tuple[Format, ...] = Field(
        default=("npz", "npy", "safetensors", "parquet"), min_length=1
    )
    latents: bool = True
    cache: UserPath | None = Field(default=None, pattern=r"\.npz$")
    prefix: str = Field(default="vis", pattern=r"^[A-Za-z0-9._-]+$")
    pages: bool = False
    overwrite: bool = False

    @field_validator("cache")
    @classmethod
    def _name_places(cls, path: str | None) -> str | None:
        for name in places_in(path or ""):
            if name not in PLACES:
                raise ValueError(f"{{{name}}} in '{path}'; allowed: {{encoder}}, {{variant}}")
        return path


def places_in(path: str) -> list[str]:
    """Return what stands in braces in a path, each name once.

    Raises:
        ValueError: its braces do not match.
    """
    return list(
        dict.fromkeys(name for _, name, _, _ in Formatter().parse(path) if name is not None)
    )
