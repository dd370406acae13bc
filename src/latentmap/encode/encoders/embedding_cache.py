"""Vectors that fine-tuning cached (embeddings.pt); of several caches, each is an encoder."""

from __future__ import annotations

from collections.abc import Mapping

from latentmap.encode.cached_vectors import CachedVectors, CachedVectorsOptions
from latentmap.errors import LatentmapError
from latentmap.samples.cache_facts import cache_facts
from latentmap.samples.caches import FILE_NAME, EmbeddingCache, find_caches


class EmbeddingCacheOptions(CachedVectorsOptions):
    """Options of cached vectors; see `CachedVectorsOptions`.

    Attributes:
        input: a cache, a folder of caches or a pattern (`feat_cache_vis/*/test/*`); of several,
            each is an encoder, named by its path. Without, a sample's vector is in the cache that
            it comes from.
        id: the column of `metadata.csv` that holds the samples' ids.
    """

    id: str = FILE_NAME


class EmbeddingCacheEncoder(CachedVectors[EmbeddingCacheOptions]):
    """Takes vectors (D,) from a cache, by the sample's id, or by where the sample comes from."""

    Options: type[EmbeddingCacheOptions] = EmbeddingCacheOptions

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
        return "" if self.options.input is None else self.open(self.options.input).digest()

    def origin(self) -> Mapping[str, str]:
        """Return what the cache's `meta.json` says; see `Encoder.origin`."""
        return cache_facts(self.open(self.options.input)) if self.options.input else {}

    def check(self) -> None:
        """Check that there are vectors; see `Encoder.check`."""
        if self.options.input and not self.open(self.options.input).has_vectors:
            raise LatentmapError(
                f"{self.options.input} has no embeddings.pt. Its coordinates can be shown by the "
                "encoder 'coordinates' and a map of kind 'given'."
            )

    def open(self, path: str) -> EmbeddingCache:
        """Open the one cache that a path leads to; see `CachedVectors.open`."""
        return next(iter(find_caches(path).values()))


def _folders(caches: dict[str, EmbeddingCache]) -> list[str]:
    return [str(cache.folder) for cache in caches.values()]
