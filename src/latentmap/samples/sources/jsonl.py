"""Preference pairs or prompts, one JSON object a line."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from latentmap.samples.cells import as_prose, as_text, parse_object, pick
from latentmap.samples.columns import ColumnMap, raw_samples
from latentmap.samples.images import Images
from latentmap.samples.source import FAULT, FileOptions, Source
from latentmap.samples.texts import TextSourceOptions, contents
from latentmap.store.files import digest

RECORDS_SHOWN = 1000
"""Objects whose keys are named in the message when a mapped one is in no line of the file."""

TEXT = "\0text"
"""Column of the texts as they were found; no key is called so."""


class JsonlColumns(ColumnMap):
    """The layout of preference pairs; see `ColumnMap`."""

    label: str | None = "src"
    text: str | tuple[str, ...] | None = ("prompt", "prefix.messages")


class JsonlOptions(TextSourceOptions, FileOptions):
    """Options of `jsonl`; its `input` is the file.

    Attributes:
        columns: which key holds what; an id that is not mapped is `{name}:{line number}`.
    """

    columns: JsonlColumns = JsonlColumns()


class Place(NamedTuple):
    """Where a line is.

    Attributes:
        number: of the line, from 1; blank ones count.
        start: of its first byte in the file.
    """

    number: int
    start: int


class Line(NamedTuple):
    """What one line says.

    Attributes:
        record: its object; empty if there is none.
        text: the mapped text.
        fault: why it cannot be used, null if it can.
    """

    record: Mapping[str, Any]
    text: str | None
    fault: str | None


class JsonlSource(Source[JsonlOptions]):
    """Lines of one file; blank ones do not count. Keys that are not mapped are columns of text."""

    Options = JsonlOptions

    def __init__(self, options: JsonlOptions, places: Mapping[int, Any] | None = None) -> None:
        super().__init__(options)
        self._places = places

    def with_places(self, places: Mapping[int, Any]) -> JsonlSource:
        """Return the source that goes to these lines at once; see `Source.with_places`."""
        return JsonlSource(self.options, places)

    def index(self) -> pl.DataFrame:
        """List all lines; see `Source.index`."""
        columns, same = self.options.columns, self.options.deduplicate
        sought = {role: tried for role, tried in columns.paths().items() if tried}
        shown: list[Mapping[str, Any]] = []
        rows: dict[str, list[str | None]] = {"id": [], "label": [], "digest": []}
        places: list[Place] = []
        if same:
            rows["content"] = []
        for place, data in _lines(self._path):
            number = place.number
            places.append(place)
            line = self._parse(number, data)
            rows["id"].append(self._id(number, line))
            label = columns.label_of(pick(line.record, columns.label))
            rows["label"].append(None if line.fault else label)
            rows["digest"].append(self._digest(number, data))
            if same:
                rows["content"] += contents([None if line.fault else line.text], same)
            if sought:
                sought = {r: tried for r, tried in sought.items() if not _has_one(line, tried)}
            if len(shown) < RECORDS_SHOWN and line.record:
                shown.append(line.record)
        if sought and shown:
            columns.check(pa.table(_columns(shown)), str(self._path))
        fields = dict.fromkeys(Place._fields, pl.Int64)
        found = pl.DataFrame(places, fields, orient="row").to_struct("place")
        return pl.DataFrame(rows, dict.fromkeys(rows, pl.String)).with_columns(found)

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read lines; see `Source.read`."""
        columns = self.options.columns
        numbered = self._take(rows)
        lines = [self._parse(number, data) for number, data in numbered]
        keys = _columns([line.record for line in lines])
        for path in self._text_paths:
            keys.pop(path, None)
        texts = pa.array([line.text for line in lines], pa.string())
        raw = raw_samples(
            pa.table({TEXT: texts, **keys}),
            columns.model_copy(update={"text": TEXT}),
            Images(self._path.parent, False, self.options.follow_links),
            [number for number, _ in numbered],
            self._prefix,
            digests=[self._digest(number, data) for number, data in numbered],
        )
        return raw.append_column(FAULT, pa.array([line.fault for line in lines], pa.string()))

    @property
    def _path(self) -> Path:
        return self.input_file("a file of JSON lines")

    @property
    def _prefix(self) -> str:
        return f"{self.name}:"

    def _take(self, rows: Sequence[int]) -> list[tuple[int, bytes]]:
        """Return the numbers and bytes of these lines."""
        places = self._places
        if places is None:
            places = {row: place._asdict() for row, (place, _) in enumerate(_lines(self._path))}
        found = []
        with self._path.open("rb") as file:
            for row in rows:
                if row not in places:
                    raise IndexError(row)
                place = Place(**places[row])
                file.seek(place.start)
                found.append((place.number, file.readline().rstrip(b"\r\n")))
        return found

    def _parse(self, number: int, data: bytes) -> Line:
        columns = self.options.columns
        try:
            record = parse_object(_decode(data))
        except ValueError as error:
            return Line({}, None, f"line {number}: {error}")
        paths = self._text_paths
        text = as_prose(pick(record, path) for path in paths)
        if columns.image is None and (text is None or not text.strip()):
            return Line(record, None, f"line {number}: no text at {' or '.join(paths)}")
        return Line(record, text, None)

    def _id(self, number: int, line: Line) -> str | None:
        if self.options.columns.id is None:
            return f"{self._prefix}{number}"
        return as_text(pick(line.record, self.options.columns.id))

    def _digest(self, number: int, data: bytes) -> str:
        # A number that is part of an id counts: a line that moves must not keep its old id.
        columns = self.options.columns
        position = "" if columns.id else f"{self._prefix}{number}"
        return digest(self._mapping, position, data)

    @cached_property
    def _text_paths(self) -> tuple[str, ...]:
        return self.options.columns.paths()["text"]

    @cached_property
    def _mapping(self) -> str:
        return self.options.columns.model_dump_json()


def _lines(path: Path) -> Iterator[tuple[Place, bytes]]:
    """Yield the lines that are not blank, and where they are."""
    start = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.isspace():
                yield Place(number, start), line.rstrip(b"\r\n")
            start += len(line)


def _decode(data: bytes) -> str:
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start + 1})") from None


def _has_one(line: Line, paths: Iterable[str]) -> bool:
    return any(pick(line.record, path) is not None for path in paths)


def _columns(records: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    """Return the values of every key as text, nested ones as JSON."""
    names = dict.fromkeys(name for record in records for name in record)
    return {
        name: pa.array([as_text(record.get(name)) for record in records], pa.string())
        for name in names
    }
