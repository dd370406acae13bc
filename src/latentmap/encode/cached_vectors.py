"""What encoders share that take vectors which were made elsewhere."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import UserPath
from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.errors import LatentmapError
from latentmap.samples.clean import CACHE, CACHE_ROW
from latentmap.samples.source import Content
from latentmap.samples.spelling import plain_name


class CachedVectorsOptions(EncoderOptions):
    """Options of every encoder that takes vectors.

    Attributes:
        input: where the vectors are. Without, a sample's is where the sample comes from.
        id: the column there that holds the samples' ids.
        batch_size: samples taken at once.
        precision: number format of the stored vectors, which are small.
    """

    input: UserPath | None = None
    id: str = "id"
    batch_size: int = Field(512, ge=1)
    precision: Literal["float16", "float32"] = "float32"


class Store(Protocol):
    """Vectors in a file or folder."""

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """The (N, D) vectors."""

    def rows(self, column: str) -> Mapping[str, int]:
        """Return the row of every sample by its name in a column."""


V_co = TypeVar("V_co", bound=CachedVectorsOptions, covariant=True)


class CachedVectors(Encoder[V_co]):
    """Takes vectors (D,): by where the sample comes from, or by its id from elsewhere."""

    Options: type[CachedVectorsOptions] = CachedVectorsOptions
    rank: Literal["map", "vector"] = "vector"
    is_cache = True

    @property
    def needs(self) -> Content | None:  # type: ignore[override]
        """The vectors that samples come with, where it has no others."""
        return "vectors" if self.options.input is None else None

    @abstractmethod
    def open(self, path: str) -> Store:
        """Open what a path leads to.

        Raises:
            LatentmapError: it cannot be read.
        """

    def is_own(self, sample: Sample) -> bool:
        """Whether a sample's vector is where the sample comes from."""
        return self.options.input is None

    def load(self) -> None:
        """Open the vectors that `input` leads to.

        Raises:
            LatentmapError: they cannot be read.
        """
        self._opened: dict[str, Store] = {}
        if self.options.input is not None:
            self._vectors(self.options.input)

    def prepare(self, sample: Sample, show: Show) -> NDArray[np.float32]:
        """Return the sample's vector, (D,) float32."""
        if not self.is_own(sample):
            return self._vectors(self.options.input or "")[self._row_of(sample["id"])]
        origin, row = sample.get(CACHE), sample.get(CACHE_ROW)
        if origin is None or row is None:
            raise LatentmapError(
                f"Sample '{sample['id']}' comes from no cache: set the encoder's 'input'."
            )
        vectors = self._vectors(origin)
        if row >= len(vectors):
            raise LatentmapError(
                f"{origin} has {len(vectors)} embeddings and no row {row}; make the samples again."
            )
        return vectors[row]

    def encode(self, batch: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the prepared vectors, (n, D)."""
        return np.stack(batch)

    def _vectors(self, path: str) -> NDArray[np.float32]:
        return self._store(path).embeddings

    def _store(self, path: str) -> Store:
        if path not in self._opened:
            self._opened[path] = self.open(path)
        return self._opened[path]

    def _row_of(self, sample: str) -> int:
        row = self._rows.get(sample)
        if row is None:
            raise LatentmapError(
                f"{self.options.input} has no row '{sample}' in its column '{self.options.id}'; "
                "set the encoder's 'id', or leave the sample out."
            )
        return row

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The rows of the vectors that `input` leads to, by the ids of their samples."""
        rows = self._store(self.options.input or "").rows(self.options.id)
        return {plain_name(name): row for name, row in rows.items()}
