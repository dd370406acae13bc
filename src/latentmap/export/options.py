"""Options of what a run exports."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from latentmap.config import Options

Format = Literal["npz", "npy", "safetensors", "parquet"]


class ExportOptions(Options):
    """What the export targets write.

    Attributes:
        formats: in which `snakemake exports` writes latents and embeddings.
        latents: write the latents too, which are larger than all else.
        overwrite: whether `snakemake coords` may replace other coordinates beside a cache.
    """

    formats: tuple[Format, ...] = Field(
        default=("npz", "npy", "safetensors", "parquet"), min_length=1
    )
    latents: bool = True
    overwrite: bool = False
