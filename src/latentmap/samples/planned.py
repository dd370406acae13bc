"""What planning hands to the jobs: the shards, and the file that takes them to other machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latentmap.samples.boxes import CORNERS_IN_PIXELS, BoxFormat
from latentmap.store.files import read_json, reading, write_json


@dataclass(frozen=True)
class PlannedShard:
    """A shard before or after it is made.

    Attributes:
        id: `{ordinal}-{digest of its rows}`.
        source: name of the source that its rows come from.
        rows: positions in that source's index.
        digests: of what these rows contain.
        places: where they lie, as the index said; None if it did not.
        duplicates: those of them whose id or text an earlier row has, with the reason to set them
            aside.
        boxes: in which unit and layout the source has boxes.
    """

    id: str
    source: str
    rows: tuple[int, ...]
    digests: tuple[str, ...]
    places: tuple[Any, ...] | None
    duplicates: Mapping[int, str]
    boxes: BoxFormat = CORNERS_IN_PIXELS


def write_plan(path: Path | str, shards: Iterable[PlannedShard]) -> None:
    """Write planned shards as JSON."""
    write_json(path, {"shards": [asdict(shard) for shard in shards]})


def read_plan(path: Path | str) -> list[PlannedShard]:
    """Read what `write_plan` wrote.

    Raises:
        LatentmapError: the file is damaged.
    """
    with reading(path, "a plan"):
        return [_shard(**entry) for entry in read_json(path)["shards"]]


def _shard(
    rows: list[int],
    digests: list[str],
    places: list[Any] | None,
    duplicates: dict[str, str],
    boxes: list[Any],
    **names: str,
) -> PlannedShard:
    """Return a shard as it was before it became JSON, whose keys are text."""
    return PlannedShard(
        **names,
        rows=tuple(rows),
        digests=tuple(digests),
        places=None if places is None else tuple(places),
        duplicates={int(row): reason for row, reason in duplicates.items()},
        boxes=BoxFormat(*boxes),
    )
