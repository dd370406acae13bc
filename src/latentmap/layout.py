"""Where a run has the files that others look for, below its own folder."""

from __future__ import annotations

RESULTS = "results"

EMBEDDED = "{encoder}/{variant}/{method}"
SAMPLES = "samples/{shard}.arrow"
MANIFEST = "samples/manifest.json"
QUARANTINE = "samples/quarantine.parquet"
LATENTS = "latents/{encoder}/{variant}/{shard}.arrow"
EMBEDDING = f"embeddings/{EMBEDDED}.parquet"
NEIGHBORS = f"neighbors/{EMBEDDED}.parquet"
PROJECTION = f"projections/{EMBEDDED}/{{projection}}.parquet"
