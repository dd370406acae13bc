"""What a file of rows is, whatever its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import pyarrow as pa

from latentmap.errors import LatentmapError

BROKEN = "\0broken"
"""Column that says what is wrong with a damaged row, null where nothing is; see `BROKEN_TYPE`."""

BROKEN_TYPE = pa.struct([("line", pa.int64()), ("fault", pa.string())])
"""The line that the row begins in, from 1, and what is wrong with it."""

LINE = "\0line"
"""Column of the line that a row is on, from 1, by which it is called where it has no id."""

PLACE = "\0place"
"""Column of where a row lies, in a scan of a file in which to look for it would take longer."""

CONTENT = "\0content"
"""Column of what identifies a row, where its values would not: bytes."""

HIDDEN = frozenset({BROKEN, LINE, PLACE, CONTENT})
"""Columns that say something of a row beside its values; no column of a file is called so."""


class Fault(TypedDict):
    """What is wrong with a row, and in which line, if it is on one; see `BROKEN_TYPE`."""

    line: int | None
    fault: str


class Place(TypedDict):
    """Where a row lies: number of its line, from 1, and of its first byte in the file, from 0."""

    number: int
    start: int


@dataclass(frozen=True)
class Values:
    """A column of Python values, which reads as one of Arrow."""

    values: list[Any]

    def to_pylist(self) -> list[Any]:
        """Return the values."""
        return self.values


@dataclass(frozen=True)
class Objects:
    """Rows that were Python values when they were read: what an index asks of a table.

    The way through Arrow and back would take longer than parsing them.

    Attributes:
        rows: how many they are.
        columns: their values by column.
    """

    rows: int
    columns: Mapping[str, list[Any]]

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, name: str) -> Values:
        return Values(self.columns[name])

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""
        return list(self.columns)


class TableFile(ABC):
    """Rows of one file.

    Attributes:
        schema: names and types of its columns; null where rows need not have the same, as of JSON.
    """

    schema: pa.Schema | None = None

    @property
    def doubt(self) -> str | None:
        """What may be wrong with how the file is read, should a column be missing."""
        return None

    @abstractmethod
    def __len__(self) -> int:
        """Count the rows."""

    @abstractmethod
    def scan(self, paths: Sequence[str]) -> Iterator[pa.Table | Objects]:
        """Yield all rows, some at a time; see `Rows.scan`."""

    @abstractmethod
    def take(self, rows: Sequence[int], places: Mapping[int, Place] | None) -> pa.Table:
        """Read some rows in this order.

        Args:
            rows: their positions.
            places: where they lie, if that is known.

        Raises:
            IndexError: there are fewer rows.
        """

    def table(self) -> pa.Table:
        """Read all rows, without what identifies them."""
        table = self.take(range(len(self)), None)
        return table.drop_columns([CONTENT]) if CONTENT in table.column_names else table


def broken(faults: Sequence[Fault | None]) -> pa.Array:
    """Return a column `BROKEN`."""
    return pa.array(faults, BROKEN_TYPE)


def fault_of(broken: Fault | None) -> str | None:
    """Return what a cell of `BROKEN` says, null if nothing is wrong."""
    if broken is None or broken["line"] is None:
        return broken and broken["fault"]
    return f"line {broken['line']}: {broken['fault']}"


def check_names(path: Path, names: Sequence[str], doubt: str = "") -> None:
    """Fail with one line if two columns of a file have one name, of which one would be lost.

    Args:
        path: the file.
        names: of its columns.
        doubt: what else to do about it.

    Raises:
        LatentmapError: they have.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise LatentmapError(
            f"{path} has several columns '{twice[0]}'. Give each its own name{doubt}."
        )
