"""What is known of every target of a run beside its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from latentmap.store.files import read_json, reading, write_json
from latentmap.targets.derivation import Kind


@dataclass(frozen=True)
class TargetFacts:
    """One target.

    Attributes:
        name: its column in the table of targets.
        title: what pages call it.
        kind: of its values.
        family: what pages group it under.
        source: the column of the samples, or the plug-in that derives it.
        count: samples for which it is defined.
        values: of a categorical or binary target, all that occur, sorted; of a binary one, the
            second is what scores speak for.
        unit: of its numbers.
        unreadable: samples whose value is there and could not be read.
        note: what else to say of it, if anything.
    """

    name: str
    title: str
    kind: Kind
    family: str
    source: str
    count: int
    values: Sequence[str] = ()
    unit: str = ""
    unreadable: int = 0
    note: str | None = None


def write_facts(path: Path | str, facts: Sequence[TargetFacts]) -> None:
    """Write what is known of all targets of a run, in their order."""
    write_json(path, {"targets": [asdict(one) for one in facts]}, sort_keys=False)


def read_facts(path: Path | str) -> list[TargetFacts]:
    """Read what `write_facts` wrote.

    Raises:
        LatentmapError: the file is damaged.
    """
    content = read_json(path)
    with reading(path, "a description of targets"):
        return [TargetFacts(**one) for one in content["targets"]]
