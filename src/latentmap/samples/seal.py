"""Sealing: from here on a run's shards are fixed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from latentmap.errors import LatentmapError
from latentmap.store.files import digest
from latentmap.store.manifest import Shard, write_manifest
from latentmap.store.tables import read_arrow, read_parquet, write_parquet


def seal_samples(
    samples: Sequence[Path | str],
    quarantine: Sequence[Path | str],
    manifest_path: Path | str,
    quarantine_path: Path | str,
) -> None:
    """Write the manifest of all shards and the table of what was repaired or set aside.

    Args:
        samples: the shards' samples, in the manifest's order.
        quarantine: the shards' quarantine tables, in the same order.
        manifest_path: the manifest to write.
        quarantine_path: the joined quarantine table to write.

    Raises:
        LatentmapError: no sample is left.
    """
    shards = []
    for path, aside in zip(map(Path, samples), quarantine, strict=True):
        table = read_arrow(path, ["id", "digest"])
        actions = read_parquet(aside, ["action"])["action"]
        quarantined = pc.sum(pc.equal(actions, "quarantined")).as_py() or 0
        content = digest(*table["id"].to_pylist(), *table["digest"].to_pylist())
        shards.append(Shard(path.stem, len(table), quarantined, content))
    rows = sum(shard.rows for shard in shards)
    aside_rows = sum(shard.quarantined for shard in shards)
    write_parquet(quarantine_path, pa.concat_tables([read_parquet(path) for path in quarantine]))
    if rows == 0:
        raise LatentmapError(f"No sample is left: see the reasons in {quarantine_path}.")
    write_manifest(manifest_path, shards)
    logging.info("%d samples in %d shards, %d set aside", rows, len(shards), aside_rows)
