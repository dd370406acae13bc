"""From entries of the configuration to a table with the values of every target."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.samples.clean import QUARANTINE_SCHEMA
from latentmap.samples.remarks import NOTED
from latentmap.store.tables import strings, write_parquet
from latentmap.targets.columns import SampleColumns
from latentmap.targets.derivation import DERIVATIONS, Kind
from latentmap.targets.facts import TargetFacts, write_facts
from latentmap.targets.options import OWN, full_name
from latentmap.targets.values import ReadValues, read_values

CODE = "target"
"""What the quarantine table calls a value that could not be read."""

OWN_FAMILY = "labels"
COLUMNS_FAMILY = "columns"
TITLES = {"label": "label", "label_group": "label group"}

Entry = Mapping[str, Any]
"""An entry of `targets` as plain values (`Run.target_entries`)."""


@dataclass(frozen=True)
class Target:
    """A target with its values.

    Attributes:
        name: of the target.
        title: what pages call it.
        family: what pages group it under.
        source: what it comes from.
        found: its values.
        key: of the configuration that asks for it.
        unit: of its numbers.
        asked: whether it is a column asked for by name, which is refused where nothing can be
            measured of it; else it is left out.
    """

    name: str
    title: str
    family: str
    source: str
    found: ReadValues
    key: str
    unit: str = ""
    asked: bool = True

    @property
    def kind(self) -> Kind:
        """What its values are."""
        return self.found.kind

    @property
    def flaw(self) -> str | None:
        """Why nothing can be measured of it, if so."""
        values = [value for value in self.found.values if value is not None]
        distinct = set(values)
        if not values:
            return "no sample has a value"
        if len(distinct) == 1:
            only = values[0] if isinstance(values[0], str) else f"{values[0]:g}"
            return f"all {len(values):,} samples that have a value have the same, '{only}'"
        if self.kind == "binary" and len(distinct) > 2:
            return f"a binary target has two values, and this has {len(distinct):,}"
        if self.kind == "categorical" and len(distinct) == len(values):
            return f"no two of the {len(values):,} samples that have a value share one"
        return None

    @property
    def facts(self) -> TargetFacts:
        """What is known of it beside its values."""
        values = [value for value in self.found.values if value is not None]
        named = self.kind in ("categorical", "binary")
        return TargetFacts(
            name=self.name,
            title=self.title,
            kind=self.kind,
            family=self.family,
            source=self.source,
            count=len(values),
            values=sorted({str(value) for value in values}) if named else (),
            unit=self.unit,
            unreadable=len(self.found.unreadable),
        )


def resolve_targets(
    entries: Sequence[Entry],
    samples: Sequence[Path | str],
    annotations: Path | str | None,
    targets: Path | str,
    facts: Path | str,
    quarantine: Path | str,
) -> None:
    """Read the values of all targets of a run.

    Args:
        entries: of the configuration.
        samples: the shards of samples, in the manifest's order.
        annotations: what is joined to the samples, if anything is.
        targets: Parquet file of id and a column of every target: texts of categorical and binary
            ones, numbers of continuous and degrees of circular ones, null where it is not defined.
        facts: JSON file; see `write_facts`.
        quarantine: Parquet file of values that are there and could not be read.

    Raises:
        LatentmapError: a column is missing, or nothing can be measured of a target.
    """
    columns = SampleColumns(samples, annotations)
    found = [*_own(columns), *_configured(entries, columns)]
    found = list(measurable(found))
    for target in found:
        logging.info("%s", target.facts)
    values = {target.name: stored(target) for target in found}
    write_parquet(targets, pa.table({"id": strings(columns.ids), **values}))
    write_facts(facts, [target.facts for target in found])
    write_parquet(quarantine, _unreadable(found, columns))


def _own(columns: SampleColumns) -> Iterator[Target]:
    """Yield the label and, where it says something else, the label group."""
    seen: list[Any] = []
    for name in OWN:
        cells = columns.values(name, "targets")
        if cells not in seen:
            found = read_values(cells, "categorical")
            yield Target(name, TITLES[name], OWN_FAMILY, name, found, "targets", asked=False)
        seen.append(cells)


def _configured(entries: Sequence[Entry], columns: SampleColumns) -> Iterator[Target]:
    """Yield the targets of the configuration's entries."""
    for entry in entries:
        key = entry["key"]
        chosen = columns.having(entry["where"], f"{key}.where")
        of_entry = _of_column if entry["derived"] is None else _derived
        for target in of_entry(entry, columns, key):
            yield _only(target, chosen)


def _of_column(entry: Entry, columns: SampleColumns, key: str) -> Iterator[Target]:
    """Yield the target that is a column of the samples."""
    column = entry["column"]
    cells = columns.values(column, f"{key}.column")
    found = read_values(cells, entry["kind"], entry["period"])
    name = entry["name"] or column
    yield Target(name, name, entry["family"] or COLUMNS_FAMILY, column, found, key)


def _derived(entry: Entry, columns: SampleColumns, key: str) -> Iterator[Target]:
    """Yield the targets that a plug-in derives, those that are asked for."""
    plugin = entry["derived"]["name"]
    derivation = DERIVATIONS.create(plugin, entry["derived"]["options"])
    try:
        table = columns.table(derivation.columns(columns.names))
    except LatentmapError as error:
        raise LatentmapError(f"{key}.derived.{plugin}: {error}") from None
    by_name = {one.name: one for one in derivation.derive(table)}
    for name in derivation.chosen:
        one = by_name[name]
        found = read_values(one.values, one.kind)
        found = replace(found, unreadable={**found.unreadable, **one.unreadable})
        yield Target(
            name=full_name(entry["name"] or plugin, name),
            title=one.title if name or not entry["name"] else entry["name"],
            family=entry["family"] or derivation.family,
            source=plugin,
            found=found,
            key=key,
            unit=one.unit,
            asked=False,
        )


def _only(target: Target, chosen: NDArray[np.bool_]) -> Target:
    """Leave a target undefined for all samples but some."""
    kept = zip(target.found.values, chosen, strict=True)
    values = [value if here else None for value, here in kept]
    unreadable = {row: why for row, why in target.found.unreadable.items() if chosen[row]}
    return replace(target, found=ReadValues(target.kind, values, unreadable))


def measurable(targets: Sequence[Target]) -> Iterator[Target]:
    """Yield the targets of which something can be measured.

    Raises:
        LatentmapError: nothing can of a column that was asked for. What is derived is left out: a
            ready configuration asks for more than some data have.
    """
    flaws = {target.name: flaw for target in targets if (flaw := target.flaw) is not None}
    for target in targets:
        flaw = flaws.get(target.name)
        if flaw is not None and target.asked:
            why = f"; {_first_unreadable(target)}" if target.found.unreadable else ""
            raise LatentmapError(
                f"{target.key}: of the target '{target.name}' {flaw}{why}. Leave it out, or change "
                "its column, kind or where."
            )
        if flaw is None:
            yield target
        else:
            logging.warning("The target %s is left out: %s.", target.name, flaw)


def _first_unreadable(target: Target) -> str:
    row, why = next(iter(target.found.unreadable.items()))
    return f"{len(target.found.unreadable):,} could not be read, the first (sample {row}): {why}"


def stored(target: Target) -> pa.Array:
    """Return the values of a target as its column has them."""
    named = target.kind in ("categorical", "binary")
    return pa.array(target.found.values, pa.string() if named else pa.float64())


def _unreadable(targets: Sequence[Target], columns: SampleColumns) -> pa.Table:
    """Return a row for every value that is there and could not be read, as in the quarantine."""
    rows = [(row, t.name, why) for t in targets for row, why in t.found.unreadable.items()]
    sources, digests = (columns.values(name, "targets") for name in ("source", "digest"))
    return pa.Table.from_pylist(
        [
            {
                "source": sources[row],
                "file": "",
                "row": None,
                "id": columns.ids[row],
                "digest": digests[row],
                "action": NOTED,
                "count": 1,
                "code": CODE,
                "reason": f"target {name}: {why}",
                "remedy": "Correct the value; until then the target is not defined there.",
            }
            for row, name, why in rows
        ],
        QUARANTINE_SCHEMA,
    )
