"""How much memory jobs ask for, by the kind of their work and what a plan knows of the run.

The figures are those of `benchmarks/memory.py`; docs/performance.md has them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

GROWTH = 3
"""A job that ran out of memory is given so many times as much when it is tried again."""

HEADROOM = 1.5
"""What grows is multiplied by this: other data, machines and allocators take more."""

STEP = 100
"""Requests are whole multiples of so many MB."""


class Size(NamedTuple):
    """What is known of a job's input when a run is planned.

    Attributes:
        samples: N, of the whole run.
        dims: D, of the widest embedding that the job reads; 0 if it reads none.
        shard: values of one shard of latents; 0 if it reads none.
    """

    samples: int = 0
    dims: int = 0
    shard: int = 0


class Need(NamedTuple):
    """What one kind of job takes.

    Attributes:
        process: MB for a few samples, with room for pictures, models and tables of other sizes.
        sample: bytes more for each sample of the run.
        value: bytes more for each dimension of each sample.
        latent: bytes more for each value of a shard of latents.
    """

    process: int
    sample: int = 0
    value: int = 0
    latent: int = 0

    def mb(self, size: Size, attempt: int = 1) -> int:
        """Return the MB to ask for, when a job of this size is tried for the n-th time."""
        grown = (
            size.samples * (self.sample + self.value * size.dims) + size.shard * self.latent
        ) / 2**20
        return math.ceil((self.process + HEADROOM * grown) / STEP) * STEP * GROWTH ** (attempt - 1)


NEEDS = {
    # One shard, page or table at a time, whatever the run.
    "download_source": Need(4000),
    "ingest_samples": Need(2000),
    "draw_thumbnails": Need(2000),
    "encode_samples": Need(2500, latent=8),
    "encode_samples_on_gpu": Need(6000, latent=8),
    "build_explorer": Need(1500),
    "write_explorer_page": Need(1500),
    "write_pictures": Need(1500),
    "tabulate_metrics": Need(1000),
    "bundle_pages": Need(1500),
    "export_figure": Need(1500),
    "export_metadata": Need(1000),
    "export_cache": Need(1000, latent=8),
    "export_latents": Need(1000, latent=8),
    "export_embedding": Need(1000),
    # What is known of every sample: ids, labels, places, texts.
    "join_annotations": Need(1000, sample=1000),
    "fit_encoder": Need(3000, sample=10_000),
    "resolve_targets": Need(1000, sample=1000),
    "compare_targets": Need(2500),
    "compare_maps": Need(1000, sample=400),
    "rank_methods": Need(1500, sample=2000),
    "export_coords": Need(1000, sample=200),
    "export_points": Need(1000, sample=400),
    "write_assets": Need(1500, sample=1000),
    "write_page": Need(1500, sample=1000),
    "write_explorer": Need(1500, sample=1000),
    # Latents shard by shard, and a few numbers of each sample.
    "pool_latents": Need(1000, sample=1000, latent=8),
    "inspect_latents": Need(1500, sample=1000, latent=8),
    # Embeddings, their neighbors and maps.
    "find_neighbors": Need(1000, sample=10_000, value=16),
    "measure_embedding": Need(1500, sample=4000, value=8),
    "find_outliers": Need(1500, sample=2000, value=8),
    "compare_embeddings": Need(1500, sample=3000, value=8),
    "compare_sources": Need(1500, sample=3000, value=8),
    "trace_learning": Need(1500, sample=4000, value=8),
    "project_embedding": Need(1000, sample=4000, value=8),
    "assess_maps": Need(2000, sample=5000, value=8),
    "measure_targets": Need(1500, sample=3000, value=8),
    "compare_pairs": Need(1500, sample=2000, value=8),
}
"""By rule."""
