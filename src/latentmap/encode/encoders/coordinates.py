"""Coordinates of a map that was made elsewhere, of vectors that are gone: shown, not measured."""

from __future__ import annotations

from latentmap.encode.encoders.embedding_cache import EmbeddingCacheEncoder, EmbeddingCacheOptions
from latentmap.samples.caches import Coordinates
from latentmap.samples.source import Content


class CoordinatesOptions(EmbeddingCacheOptions):
    """Options of coordinates; see `EmbeddingCacheOptions`.

    Attributes:
        input: a folder with `metadata.csv` and the coordinates, a folder of such folders, or a
            pattern.
        file: name of the `.npy` file there, (N, 2) or (N, 3), rows as in `metadata.csv`.
    """

    file: str


class CoordinatesEncoder(EmbeddingCacheEncoder):
    """Takes coordinates (2,) or (3,) in the place of vectors, so that samples have neighbors.

    No metric is measured: it would be one of the map, not of what the map was made of.
    """

    Options: type[CoordinatesOptions] = CoordinatesOptions
    options: CoordinatesOptions
    is_measured = False

    @property
    def needs(self) -> Content | None:  # type: ignore[override]
        """Nothing: where a sample comes from has its coordinates."""
        return None

    def check(self) -> None:
        """Read the coordinates; see `Encoder.check`."""
        if self.options.input:
            _ = self.open(self.options.input).embeddings

    def open(self, path: str) -> Coordinates:
        """Open the coordinates in the one folder that a path leads to."""
        return Coordinates(super().open(path).folder, self.options.file)
