"""Ingest: the rows of one shard, read, cleaned and sorted into samples and quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.samples.boxes import CORNERS_IN_PIXELS, BoxFormat
from latentmap.samples.cells import is_blank
from latentmap.samples.clean import (
    DUPLICATE,
    OF_SOURCE,
    QUARANTINE_SCHEMA,
    Clean,
    Cleaner,
)
from latentmap.samples.faults import FaultError
from latentmap.samples.planned import PlannedShard
from latentmap.samples.remarks import NOTED
from latentmap.samples.source import NOTE, NOTES, RAW_SCHEMA, REPLACED, Source
from latentmap.store.samples import SCHEMA

DUPLICATE_REMEDY = (
    "Remove the row; if it is meant, give it an id of its own or switch 'deduplicate' off."
)


@dataclass(frozen=True)
class Ingested:
    """What became of the rows.

    Attributes:
        samples: good samples in the order of the rows: `SCHEMA` and the source's extra columns.
        quarantine: `QUARANTINE_SCHEMA`; one row for each that was set aside, one for each that
            was repaired, one for each that the source has a note about.
        digests: of the rows, as they were read.
    """

    samples: pa.Table
    quarantine: pa.Table
    digests: list[str]


def ingest_shard(
    source: Source[Any], shard: PlannedShard, label_groups: Mapping[str, str]
) -> Ingested:
    """Read and clean the rows of a planned shard; the source is not searched for them again.

    Args:
        source: where the rows come from.
        shard: which rows.
        label_groups: as for `ingest`.

    Raises:
        LatentmapError: the source cannot be read, or a row is not what it was when it was planned.
    """
    if shard.places is not None:
        source = source.with_places(dict(zip(shard.rows, shard.places, strict=True)))
    made = ingest(source, shard.rows, shard.duplicates, label_groups, shard.boxes)
    planned = zip(shard.rows, shard.digests, made.digests, strict=True)
    changed = [row for row, before, now in planned if before != now]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise LatentmapError(
            f"{source.options.input or source.name} has changed since the run was planned, in row "
            f"{changed[0]}{more} of shard {shard.id}. Run again."
        )
    return made


def ingest(
    source: Source[Any],
    rows: Sequence[int],
    duplicates: Mapping[int, str],
    label_groups: Mapping[str, str],
    boxes: BoxFormat = CORNERS_IN_PIXELS,
) -> Ingested:
    """Read and clean some rows of a source.

    Args:
        source: where the rows come from.
        rows: their positions in the source's index.
        duplicates: why some of them are set aside as duplicates, by position.
        label_groups: group of each label; a label that is not there is a group of its own. A
            group that the source itself gives comes first.
        boxes: in which unit and layout the source has boxes.

    Raises:
        LatentmapError: the source cannot be read, or has lost rows since it was planned.
    """
    raw = _read(source, rows)
    plain = raw.drop_columns(["image"]).to_pylist()
    digests = [boxes.digest(sample["digest"], bool(sample["boxes"])) for sample in plain]
    cleaner = Cleaner(source.has_labels and source.needs_labels, boxes)
    kept: list[tuple[int, Clean]] = []
    notes: list[dict[str, Any]] = []
    for position, (row, sample) in enumerate(zip(rows, plain, strict=True)):
        identity = {
            "source": source.name,
            "file": source.options.input or "",
            "row": row,
            "id": sample["id"],
            "digest": digests[position],
            "count": 1,
        }
        try:
            if row in duplicates:
                raise FaultError(DUPLICATE, duplicates[row], DUPLICATE_REMEDY)
            clean = cleaner.clean({**sample, "image": raw["image"][position].as_py()})
        except FaultError as fault:
            notes.append({**identity, "action": "quarantined", **vars(fault)})
            continue
        kept.append((position, clean))
        if clean.repairs:
            remedy = "Correct the boxes at their source, if the repair is not what they mean."
            reason = "; ".join(clean.repairs)
            said = {"code": "box", "reason": reason, "remedy": remedy}
            notes.append({**identity, "action": "repaired", **said})
        noted = [*clean.notes, *filter(None, map(sample.get, (REPLACED, NOTE)))]
        if noted:
            remedy = "Nothing has to be done; correct the source, if it is wrong."
            said = {"code": OF_SOURCE, "reason": "; ".join(noted), "remedy": remedy}
            notes.append({**identity, "action": NOTED, **said})
    samples = _samples(raw, kept, source.name, digests, label_groups)
    return Ingested(samples, pa.Table.from_pylist(notes, QUARANTINE_SCHEMA), digests)


def _read(source: Source[Any], rows: Sequence[int]) -> pa.Table:
    try:
        return source.read(rows)
    except IndexError:
        raise LatentmapError(
            f"{source.options.input or source.name} has no row {max(rows)}, which was "
            "planned. It has changed; run again."
        ) from None


def _samples(
    raw: pa.Table,
    kept: Sequence[tuple[int, Clean]],
    name: str,
    digests: Sequence[str],
    label_groups: Mapping[str, str],
) -> pa.Table:
    """Build the table of the kept rows."""
    positions = [position for position, _ in kept]
    found = [clean for _, clean in kept]
    good = raw.take(pa.array(positions, pa.int64()))
    ids = good["id"].to_pylist()
    labels = [None if is_blank(label) else label for label in good["label"].to_pylist()]
    groups, sources = good["label_group"].to_pylist(), good["source_group"].to_pylist()
    sizes = [clean.size or (None, None) for clean in found]
    core = {
        "id": ids,
        "source": [name] * len(ids),
        "label": labels,
        "label_group": [
            None if label is None else group or label_groups.get(label, label)
            for group, label in zip(groups, labels, strict=True)
        ],
        "source_group": [group or own for group, own in zip(sources, ids, strict=True)],
        "text": good["text"],
        "boxes": [clean.boxes for clean in found],
        "width": [width for width, _ in sizes],
        "height": [height for _, height in sizes],
        "image": _shown(good["image"], found),
        "digest": [digests[position] for position in positions],
    }
    raw_only = {*RAW_SCHEMA.names, *NOTES}
    extras = [field for field in raw.schema if field.name not in raw_only]
    columns = [
        core[f.name]
        if isinstance(core[f.name], pa.ChunkedArray)
        else pa.array(core[f.name], f.type)
        for f in SCHEMA
    ]
    columns += [good[field.name] for field in extras]
    return pa.table(columns, schema=pa.schema([*SCHEMA, *extras]))


def _shown(images: pa.ChunkedArray, found: Sequence[Clean]) -> pa.ChunkedArray:
    """Return the images without those that cannot be shown."""
    if all(clean.size for clean in found):
        return images
    kept = [clean.size and images[row].as_py() for row, clean in enumerate(found)]
    return pa.chunked_array([pa.array(kept, images.type)])
