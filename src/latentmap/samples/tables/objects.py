"""Rows that are texts: JSON, one object a line or one array of objects; and plain lines."""

from __future__ import annotations

import codecs
import json
import re
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.samples.cells import as_text, check_storable, parse_object, picker
from latentmap.samples.tables.contents import Content
from latentmap.samples.tables.file import (
    BROKEN,
    CONTENT,
    LINE,
    PLACE,
    Fault,
    Objects,
    Place,
    TableFile,
    broken,
)

BYTES_PER_PART, ROWS_PER_PART = 2**24, 2**12

TEXT = "text"
"""Column of what is on a line of plain text."""

SPACE = re.compile(r"[ \t\r\n]*")


class Found(NamedTuple):
    """One row as it is in the file.

    Attributes:
        line: the line that it begins in, from 1.
        data: its bytes.
        start: the first of them in the file, from 0, where one can begin to read there.
        value: what they say, where that is known already.
    """

    line: int
    data: bytes
    start: int | None = None
    value: Any = None


class JsonFile(TableFile):
    """Objects whose keys are columns of text; what is nested in them is JSON.

    Nothing is held but the rows that are read together.

    Attributes:
        by_line: whether rows are called by their lines.
    """

    by_line = False

    def __init__(self, content: Content) -> None:
        self._content = content

    def __len__(self) -> int:
        return sum(1 for _ in self._rows())

    def scan(self, paths: Sequence[str]) -> Iterator[pa.Table | Objects]:
        """Yield the mapped values of all rows; see `TableFile.scan`."""
        rows: list[Found] = []
        size = 0
        for row in self._rows():
            if size > BYTES_PER_PART or len(rows) == ROWS_PER_PART:
                yield self._listed(rows, paths)
                rows, size = [], 0
            rows.append(row)
            size += len(row.data)
        yield self._listed(rows, paths)

    def take(self, rows: Sequence[int], places: Mapping[int, Place] | None = None) -> pa.Table:
        """Read rows; see `TableFile.take`."""
        found = self._found(set(rows)) if places is None else self._at(places)
        missing = [row for row in rows if row not in found]
        if missing:
            raise IndexError(missing[0])
        return self._table([found[row] for row in rows])

    def _found(self, wanted: Collection[int]) -> dict[int, Found]:
        """Return rows by their positions, for which the file is read up to the last of them."""
        last = max(wanted, default=-1)
        return {row: it for row, it in enumerate(islice(self._rows(), last + 1)) if row in wanted}

    def _at(self, places: Mapping[int, Place]) -> dict[int, Found]:
        """Return the rows that lie at some places."""
        with self._content.open() as stream:
            found = {}
            for row, place in places.items():
                stream.seek(place["start"])
                found[row] = Found(place["number"], stream.readline().rstrip(b"\r\n"))
        return found

    @abstractmethod
    def _rows(self) -> Iterator[Found]:
        """Yield all rows."""

    @abstractmethod
    def _parse(self, row: Found) -> Mapping[str, Any]:
        """Return what a row says.

        Raises:
            ValueError: it is damaged; says how.
        """

    def _table(self, rows: Sequence[Found]) -> pa.Table:
        """Return the values of all keys as text."""
        told = [self._told(row) for row in rows]
        names = dict.fromkeys(name for record, _ in told for name in record)
        columns = {
            name: pa.array([as_text(record.get(name)) for record, _ in told], pa.large_string())
            for name in names
        }
        content = pa.array([row.data for row in rows], pa.large_binary())
        lines = {LINE: pa.array([row.line for row in rows], pa.int64())} if self.by_line else {}
        faults = broken([fault for _, fault in told])
        return pa.table({**columns, CONTENT: content, BROKEN: faults, **lines})

    def _listed(self, rows: Sequence[Found], paths: Sequence[str]) -> Objects:
        """Return the values under some paths that are not all null."""
        picked: dict[str, list[Any]] = {path: [] for path in paths}
        steps = [(picker(path), values.append) for path, values in picked.items()]
        faults: list[Fault | None] = []
        # Records are let go one by one: holding many of them would keep the garbage collector busy.
        for row in rows:
            record, fault = self._told(row)
            for pick, append in steps:
                append(pick(record))
            faults.append(fault)
        columns = {p: values for p, values in picked.items() if values.count(None) < len(values)}
        columns[CONTENT] = [row.data for row in rows]
        columns[BROKEN] = faults
        if self.by_line:
            columns[LINE] = [row.line for row in rows]
        if rows and rows[0].start is not None:
            columns[PLACE] = [{"number": row.line, "start": row.start} for row in rows]
        return Objects(len(rows), columns)

    def _told(self, row: Found) -> tuple[Mapping[str, Any], Fault | None]:
        """Return what a row says, nothing if it is damaged; and what is wrong with it."""
        try:
            return self._parse(row), None
        except ValueError as error:
            return {}, Fault(line=row.line, fault=str(error))


class JsonLines(JsonFile):
    """One object a line; blank lines do not count."""

    by_line = True

    def _rows(self) -> Iterator[Found]:
        # A packed file has no places, and neither has one whose lines are recoded.
        can_seek = self._content.packer is None and self._content.encoding != "utf-16"
        start = 0
        for number, line in enumerate(self._lines(), 1):
            if not line.isspace():
                yield Found(number, line.rstrip(b"\r\n"), start if can_seek else None)
            start += len(line)

    def _lines(self) -> Iterator[bytes]:
        if self._content.encoding == "utf-16":
            with self._content.open_text() as text:
                yield from (line.encode() for line in text)
        else:
            with self._content.open() as stream:
                yield from stream

    def _parse(self, row: Found) -> Mapping[str, Any]:
        return parse_object(_decoded(row))


class TextLines(JsonLines):
    """One text a line, which is not looked into; blank lines do not count."""

    def _parse(self, row: Found) -> Mapping[str, Any]:
        return {TEXT: _decoded(row)}


class JsonArray(JsonFile):
    """One array of objects."""

    def _rows(self) -> Iterator[Found]:
        with self._content.open_text() as stream:
            text = stream.read()
        decoder = json.JSONDecoder()
        line, counted = 1, 0
        place = _after_space(text, text.index("[") + 1)
        try:
            while text[place : place + 1] != "]":
                value, end = decoder.raw_decode(text, place)
                line, counted = line + text.count("\n", counted, place), place
                yield Found(line, text[place:end].encode(), value=value)
                place = _after_space(text, end)
                if text[place : place + 1] == ",":
                    place = _after_space(text, place + 1)
                elif text[place : place + 1] != "]":
                    raise json.JSONDecodeError("Expecting ',' or ']'", text, place)
        except json.JSONDecodeError as error:
            raise LatentmapError(
                f"{self._content.path} is a JSON array that is damaged or cut off ({error.msg} in "
                f"line {error.lineno}, column {error.colno}). Correct it, or fetch it again."
            ) from None
        except RecursionError:
            raise LatentmapError(
                f"{self._content.path} is nested too deeply. Flatten it."
            ) from None

    def _parse(self, row: Found) -> Mapping[str, Any]:
        if not isinstance(row.value, dict):
            raise ValueError("not a JSON object")
        check_storable(row.data.decode(), row.value)
        return row.value


def _decoded(row: Found) -> str:
    """Return the text of a line.

    Raises:
        ValueError: it is not UTF-8.
    """
    try:
        return row.data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start + 1})") from None


def _after_space(text: str, place: int) -> int:
    match = SPACE.match(text, place)
    return match.end() if match else place
