"""Vectors that fine-tuning cached (embeddings.pt); of several caches, each is an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import UserPath
from latentmap.encode.encoder import Encoder, EncoderOptions, Sample, Show
from latentmap.errors import LatentmapError
from latentmap.samples.caches import FILE_NAME, EmbeddingCache, find_caches
from latentmap.samples.clean import CACHE, CACHE_ROW
from latentmap.samples.spelling import plain_name


class EmbeddingCacheOptions(EncoderOptions):
    """Options of cached vectors.

    Attributes:
        input: a cache, a folder of caches or a pattern (`feat_cache_vis/*/test/*`); of several,
            each is an encoder, named by its path. Without, a sample's vector is in the cache that
            it comes from.
        id: the column of `metadata.csv` that holds the samples' ids.
        batch_size: samples taken at once.
        precision: number format of the stored vectors, which are small.
    """

    input: UserPath | None = None
    id: str = FILE_NAME
    batch_size: int = Field(512, ge=1)
    precision: Literal["float16", "float32"] = "float32"


class EmbeddingCacheEncoder(Encoder[EmbeddingCacheOptions]):
    """Takes vectors (D,) from a cache, by the sample's id, or by where the sample comes from."""

    Options: type[EmbeddingCacheOptions] = EmbeddingCacheOptions
    rank: Literal["map", "vector"] = "vector"
    is_cache = True

    @classmethod
    def expanded(cls, options: EmbeddingCacheOptions) -> tuple[EmbeddingCacheOptions, ...]:
        """Return the options of one encoder for each cache."""
        if options.input is None:
            return (options,)
        try:
            caches = find_caches(options.input)
        except LatentmapError:  # a configuration is valid before its data is there
            return (options,)
        if len(caches) == 1 and options.name:
            return (options.model_copy(update={"input": str(*_folders(caches))}),)
        prefix = f"{options.name}-" if options.name else ""
        return tuple(
            options.model_copy(update={"input": folder, "name": f"{prefix}{name}"})
            for name, folder in zip(caches, _folders(caches), strict=True)
        )

    def revision(self) -> str:
        """Return a digest of the cache; the samples' own caches are in the samples' digests."""
        return "" if self.options.input is None else self._given.digest()

    def load(self) -> None:
        """Open the cache.

        Raises:
            LatentmapError: it cannot be read, or its rows are not as many as its vectors.
        """
        self._opened: dict[str, EmbeddingCache] = {}
        if self.options.input is not None:
            self._vectors = self._given.embeddings
            rows = self._given.rows(self.options.id)
            self._rows = {plain_name(name): row for name, row in rows.items()}

    def prepare(self, sample: Sample, show: Show) -> NDArray[np.float32]:
        """Return the sample's vector, (D,) float32."""
        if self.options.input is None:
            return self._own(sample)
        row = self._rows.get(sample["id"])
        if row is None:
            raise LatentmapError(
                f"{self._given.folder} has no row '{sample['id']}' in its column "
                f"'{self.options.id}'; set the encoder's 'id', or leave the sample out."
            )
        return self._vectors[row]

    def encode(self, batch: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the prepared vectors, (n, D)."""
        return np.stack(batch)

    def _own(self, sample: Sample) -> NDArray[np.float32]:
        folder, row = sample.get(CACHE), sample.get(CACHE_ROW)
        if folder is None or row is None:
            raise LatentmapError(
                f"Sample '{sample['id']}' comes from no cache: set the encoder's 'input'."
            )
        vectors = self._opened.setdefault(folder, EmbeddingCache(Path(folder))).embeddings
        if row >= len(vectors):
            raise LatentmapError(
                f"{folder} has {len(vectors)} embeddings and no row {row}; make the samples again."
            )
        return vectors[row]

    @cached_property
    def _given(self) -> EmbeddingCache:
        """The one cache that `input` leads to."""
        caches: list[Any] = list(find_caches(self.options.input or "").values())
        return caches[0]


def _folders(caches: dict[str, EmbeddingCache]) -> list[str]:
    return [str(cache.folder) for cache in caches.values()]
