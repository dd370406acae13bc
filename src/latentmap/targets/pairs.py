"""Counterfactual pairs: samples that show the same but for one thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from latentmap.config import Options
from latentmap.errors import LatentmapError
from latentmap.samples.cells import as_text
from latentmap.targets.columns import SampleColumns
from latentmap.targets.values import read_values

KEY = "pairs"
"""Key of the configuration."""


class PairOptions(Options):
    """Which samples belong together, and in what they may differ.

    Two samples of one pair that differ in a single one of `changes` show what this change does to
    an embedding: whether it always moves it the same way, and how far.

    Attributes:
        column: of the samples, the same for those that belong together, which may be more than two.
        changes: columns in which these may differ.
        irrelevant: those of them that nothing depends on, such as another background: how large a
            change is, is told in parts of theirs; by default in parts of the distance between
            samples that do not belong together.
    """

    column: str = "pair"
    changes: tuple[str, ...] = Field(min_length=1)
    irrelevant: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _know_the_irrelevant(self) -> Self:
        for name in self.irrelevant:
            if name not in self.changes:
                raise ValueError(f"irrelevant: '{name}' is none of the changes; add it there")
        return self


@dataclass(frozen=True)
class Change:
    """All pairs that differ in one thing.

    Attributes:
        name: the column in which they differ.
        before: the value that they change from; empty where there are several.
        after: the value that they change to, likewise.
        rows: (P, 2) rows of the samples before and after.
        groups: (P,) which pairs may inform about each other, numbered from 0 over all changes.
    """

    name: str
    before: str
    after: str
    rows: NDArray[np.intp]
    groups: NDArray[np.intp]


def find_changes(options: PairOptions, columns: SampleColumns) -> list[Change]:
    """Find the pairs of every change.

    A change goes from the smaller to the larger value, of texts to the later one in the alphabet.

    Args:
        options: which samples belong together.
        columns: of the samples.

    Raises:
        LatentmapError: a column is missing, or no two samples differ in one of the changes alone.
    """
    sets = _members(columns.values(options.column, f"{KEY}.column"))
    units = _units(sets, columns.values("source_group", KEY))
    ranks = {name: _ranked(columns, name) for name in options.changes}
    found = []
    for name in options.changes:
        others = [ranks[other][1] for other in options.changes if other != name]
        texts, rank = ranks[name]
        rows = [
            pair
            for members in sets
            for pair in _ordered(members, rank)
            if all(other[pair[0]] == other[pair[1]] for other in others)
        ]
        if not rows:
            raise LatentmapError(
                f"{KEY}.changes: no two samples of one '{options.column}' differ in '{name}' alone."
                f" Leave it out, or change '{KEY}.column'."
            )
        ends = [{texts[row] for row in side} for side in zip(*rows, strict=True)]
        before, after = (str(end.pop()) if len(end) == 1 else "" for end in ends)
        groups = np.array([units[first] for first, _ in rows], np.intp)
        found.append(Change(name, before, after, np.array(rows, np.intp), groups))
    return found


def strangers(changes: Sequence[Change], seed: int) -> Change:
    """Return pairs of samples that do not belong together: of each group, with one of another."""
    first = {
        int(group): int(row)
        for change in changes
        for group, (row, _) in zip(change.groups, change.rows, strict=True)
    }
    order = np.random.default_rng(seed).permutation(sorted(first))
    rows = np.array([first[group] for group in order.tolist()], np.intp)
    return Change("", "", "", np.stack([rows, np.roll(rows, 1)], axis=1), order)


def _members(values: Sequence[Any]) -> list[list[int]]:
    """Return the rows of the samples that belong together, of each set of at least two."""
    members: dict[str, list[int]] = {}
    for row, value in enumerate(map(as_text, values)):
        if value is not None:
            members.setdefault(value, []).append(row)
    return [rows for rows in members.values() if len(rows) > 1]


def _units(sets: Sequence[Sequence[int]], source_groups: Sequence[str]) -> dict[int, int]:
    """Number the samples of sets so that those with the same number may inform about each other.

    Samples of one set do, and those of one source group.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names: dict[str, int] = {}
    links = [
        (number, len(sets) + names.setdefault(source_groups[row], len(names)))
        for number, rows in enumerate(sets)
        for row in rows
    ]
    first, second = np.array(links, np.intp).reshape(-1, 2).T
    nodes = len(sets) + len(names)
    graph = coo_array((np.ones(len(links)), (first, second)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    numbers = np.unique(component[: len(sets)], return_inverse=True)[1].tolist()
    return {row: number for rows, number in zip(sets, numbers, strict=True) for row in rows}


def _ranked(columns: SampleColumns, name: str) -> tuple[list[str | None], list[int]]:
    """Return the values of a column as texts, and the place of each in their order; -1 of null."""
    values = columns.values(name, f"{KEY}.changes")
    texts = [as_text(value) for value in values]
    numbers = read_values(values, "continuous")
    keys: Sequence[Any] = texts if numbers.unreadable else numbers.values
    places = {key: place for place, key in enumerate(sorted({k for k in keys if k is not None}))}
    return texts, [-1 if key is None else places[key] for key in keys]


def _ordered(members: Sequence[int], rank: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of some samples that differ in a column, the smaller value first."""
    for one, other in combinations(members, 2):
        if min(rank[one], rank[other]) >= 0 and rank[one] != rank[other]:
            yield (one, other) if rank[one] < rank[other] else (other, one)
