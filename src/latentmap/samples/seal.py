"""Sealing: from here on a run's shards are fixed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from latentmap.errors import LatentmapError
from latentmap.samples.clean import QUARANTINE_SCHEMA
from latentmap.store.files import digest
from latentmap.store.manifest import Shard, write_manifest
from latentmap.store.tables import read_arrow, read_parquet, write_parquet

SHOWN = 3
"""Reasons, and files, that the message names if no sample is left."""


def seal_samples(
    samples: Sequence[Path | str],
    quarantine: Sequence[Path | str],
    manifest_path: Path | str,
    quarantine_path: Path | str,
    remarks: Sequence[Mapping[str, Any]] = (),
    readers: Mapping[str, str] | None = None,
) -> None:
    """Write the manifest of all shards and the table of what was repaired or set aside.

    Args:
        samples: the shards' samples, in the manifest's order.
        quarantine: the shards' quarantine tables, in the same order.
        manifest_path: the manifest to write.
        quarantine_path: the joined quarantine table to write.
        remarks: rows of that table about whole sources and encoders, which come last.
        readers: fingerprint of the code that made each shard, by its id.

    Raises:
        LatentmapError: no sample is left; says why most rows were set aside.
    """
    shards = []
    for path, aside in zip(map(Path, samples), quarantine, strict=True):
        table = read_arrow(path, ["id", "digest"])
        actions = read_parquet(aside, ["action"])["action"]
        quarantined = pc.sum(pc.equal(actions, "quarantined")).as_py() or 0
        content = digest(*table["id"].to_pylist(), *table["digest"].to_pylist())
        reader = (readers or {}).get(path.stem, "")
        shards.append(Shard(path.stem, len(table), quarantined, content, reader))
    rows = sum(shard.rows for shard in shards)
    aside_rows = sum(shard.quarantined for shard in shards)
    if rows == 0:
        raise LatentmapError(_nothing_left(quarantine))
    tables = [read_parquet(path) for path in quarantine]
    tables.append(pa.Table.from_pylist(list(remarks), QUARANTINE_SCHEMA))
    write_parquet(quarantine_path, pa.concat_tables(tables))
    write_manifest(manifest_path, shards)
    logging.info("%d samples in %d shards, %d set aside", rows, len(shards), aside_rows)


def _nothing_left(quarantine: Sequence[Path | str]) -> str:
    """Say in one line why all rows were set aside."""
    examples: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for path in quarantine:
        for note in read_parquet(path, ["action", "code", "reason", "remedy"]).to_pylist():
            if note["action"] == "quarantined":
                code = note["code"]
                examples.setdefault(code, f"like '{note['reason']}' ({note['remedy']})")
                counts[code] += 1
    commonest = counts.most_common(SHOWN)
    parts = [f"{count} {examples[code]}" for code, count in commonest]
    others = counts.total() - sum(count for _, count in commonest)
    parts += [f"{others} for other reasons"] if others else []
    # The joined table is an output of the job that fails here, and does not outlive it.
    files = ", ".join(map(str, quarantine[:SHOWN]))
    more = f" and {len(quarantine) - SHOWN} more beside it" if len(quarantine) > SHOWN else ""
    return (
        f"No sample is left: {counts.total()} rows were set aside, {', '.join(parts)}. "
        f"Every row and its reason are in {files}{more}."
    )
