"""Rows of tables, whatever kind of file they are in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.samples.cells import split_path
from latentmap.samples.tables.columnar import Columnar
from latentmap.samples.tables.contents import PACKED_SUFFIXES, Content, is_json_object
from latentmap.samples.tables.delimited import (
    TAB_SUFFIXES,
    Delimited,
    StaysText,
    tell_delimiter,
)
from latentmap.samples.tables.file import HIDDEN, Objects, Place, TableFile, check_names
from latentmap.samples.tables.objects import JsonArray, JsonLines, TextLines

READ = "a .csv, .tsv, .jsonl, .json, .parquet or .arrow file"

COLUMNAR_SUFFIXES = (".parquet", ".arrow", ".feather", ".ipc")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
TEXT_SUFFIXES = (".csv", *TAB_SUFFIXES)
SUFFIXES = (*COLUMNAR_SUFFIXES, *JSON_LINES_SUFFIXES, ".json", *TEXT_SUFFIXES, *PACKED_SUFFIXES)
"""Suffixes of files of tables; a file may have another one."""

LINES_TRIED = 20
"""Of a file, by which it is told whether they are JSON."""


PARQUET, ARROW, ARROW_STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"


class Rows:
    """The rows of one or several files of one layout, in the order of the files.

    A file is Parquet, Arrow (file or stream), delimited text (CSV, TSV, semicolons), JSON lines or
    a JSON array, as it is or packed by gzip or zstd: its content tells, and where that could be
    several, its suffix. Text is UTF-8, or UTF-16 with a byte order mark.

    Tables have few types: see `casts`. Of JSON, all columns are text. The files' columns may
    differ in the width of their numbers, and a column that is empty in one file has the type that
    it has in others; JSON files may have any keys.

    Text files have columns more, whose names no file has: a damaged row is null but for what is
    wrong with it in `BROKEN`; `CONTENT` identifies a row; `LINE` is the number of the line where
    a row is one.

    Args:
        paths: the files.
        texts: paths of columns that stay text in a file of delimited text though all their cells
            are numbers (`007` is text in any case); by default all columns do.
        header: whether the first row of delimited text names the columns.
        kind: what the files are, where their content does not tell: lines of plain text.

    Raises:
        LatentmapError: a file cannot be read, is no table, has two columns of one name, or other
            columns than the first.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        texts: Iterable[str] | None = None,
        header: bool = True,
        kind: type[TextLines] | None = None,
    ) -> None:
        contents = map(Content, paths)
        self._files: list[TableFile] = (
            [_open(content, _text_columns(texts), header) for content in contents]
            if kind is None
            else [_lines_of(content, kind) for content in contents]
        )
        for path, file in zip(paths, self._files, strict=True):
            if file.schema is not None:
                check_names(path, file.schema.names)
        self._schema = _unified(paths, [file.schema for file in self._files])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def doubt(self) -> str | None:
        """What may be wrong with how the files are read, should a column be missing."""
        return next(filter(None, (file.doubt for file in self._files)), None)

    def scan(self, paths: Iterable[str] = ()) -> Iterator[pa.Table | Objects]:
        """Yield all rows, some at a time, in parts that memory holds; at least one table.

        Args:
            paths: what to read of JSON, whose other values are not looked at: the values under each
                are a column of this name, which is missing where all are null.
        """
        for file in self._files:
            yield from map(self._cast, file.scan(list(paths)))
        if self._schema is not None and not len(self):
            yield self._schema.empty_table()

    def take(self, rows: Sequence[int], places: Mapping[int, Place] | None = None) -> pa.Table:
        """Read these rows, in this order.

        Args:
            rows: their positions.
            places: where they lie, as a scan of one file said in the column `PLACE`.

        Raises:
            IndexError: there are fewer rows.
        """
        if len(self._files) == 1:
            return self._cast(self._files[0].take(rows, places))
        positions = np.asarray(rows, np.int64)
        if len(positions) and positions.max() >= len(self):
            raise IndexError(int(positions.max()))
        owners = np.searchsorted(self._starts, positions, side="right") - 1
        tables = []
        for owner in np.unique(owners) if len(positions) else [0]:
            own = positions[owners == owner] - self._starts[owner]
            tables.append(self._cast(self._files[owner].take(own.tolist(), None)))
        by_file = np.argsort(owners, kind="stable")
        return pa.concat_tables(tables, promote_options="default").take(np.argsort(by_file))

    def table(self) -> pa.Table:
        """Read all rows, without what identifies them."""
        tables = [self._cast(file.table()) for file in self._files]
        return (
            tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="default")
        )

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Position of each file's first row, and the number of all rows."""
        return np.cumsum([0, *map(len, self._files)], dtype=np.int64)

    def _cast(self, table: pa.Table) -> pa.Table:
        """Give a file's columns the order and the types that those of all files have."""
        if self._schema is None or len(self._files) == 1:
            return table
        columns = {field.name: table[field.name].cast(field.type) for field in self._schema}
        hidden = {name: table[name] for name in table.column_names if name in HIDDEN}
        return pa.table(columns | hidden)


def _text_columns(paths: Iterable[str] | None) -> StaysText:
    if paths is None:
        return lambda name, names: True
    given = list(paths)
    return lambda name, names: any(split_path(path, names)[0] == name for path in given)


def _lines_of(content: Content, kind: type[TextLines]) -> TableFile:
    """Open a file of plain text."""
    content.refuse_foreign()
    content.refuse_binary()
    return kind(content)


def _open(content: Content, stays_text: StaysText, header: bool) -> TableFile:
    """Open a file by what it holds; see `Rows`."""
    content.refuse_foreign()
    is_text = content.suffix in TEXT_SUFFIXES and not content.is_binary  # with a column PAR1
    if content.head.startswith((PARQUET, ARROW, ARROW_STREAM)) and not is_text:
        return Columnar(content)
    if content.is_binary and content.suffix in COLUMNAR_SUFFIXES:
        return Columnar(content)  # an Arrow stream as it was written before 2019
    content.refuse_binary()
    lines = list(filter(str.strip, content.lines))[:LINES_TRIED]
    if _is_array(lines):
        return JsonArray(content)
    tried = lines[:1] if content.suffix in TEXT_SUFFIXES else lines
    if content.suffix in JSON_LINES_SUFFIXES or any(map(is_json_object, tried)):
        return JsonLines(content)
    if content.suffix in COLUMNAR_SUFFIXES:
        return Columnar(content)
    if content.suffix in TEXT_SUFFIXES:
        return Delimited(content, header, stays_text)
    if lines and lines[0].lstrip().startswith("{"):
        raise LatentmapError(
            f"{content.path} is one JSON object, not a list of them. Save the list inside it, or "
            "one object a line, such as with 'jq -c .KEY[]'."
        )
    if tell_delimiter(content) is not None:
        return Delimited(content, header, stays_text)
    raise LatentmapError(f"{content.path}: not {READ}. Give one.")


def _is_array(lines: Sequence[str]) -> bool:
    """Whether a file begins like an array of objects, and not like one array a line."""
    start = "".join(lines[:2]).lstrip()
    begins = start.startswith("[") and start[1:].lstrip()[:1] in ("{", "]", "")
    return begins and not (len(lines) > 1 and all(line.lstrip().startswith("[") for line in lines))


def _unified(paths: Sequence[Path], schemas: Sequence[pa.Schema | None]) -> pa.Schema | None:
    """Return the columns that all files have, with types that hold the values of all.

    Raises:
        LatentmapError: the columns of one differ; names them.
    """
    known = [schema for schema in schemas if schema is not None]
    if len(known) < len(schemas):
        return None
    unified = known[0]
    for path, schema in zip(paths, known, strict=True):
        differing = [f"no '{name}'" for name in unified.names if name not in schema.names]
        differing += [f"'{name}' besides" for name in schema.names if name not in unified.names]
        fields = []
        for field in unified if not differing else ():
            other = schema.field(field.name)
            try:
                both = [pa.schema([field]), pa.schema([other])]
                fields += pa.unify_schemas(both, promote_options="permissive")
            except pa.ArrowException:
                differing.append(f"'{field.name}' as {_say(other.type)}, not {_say(field.type)}")
        if differing:
            raise LatentmapError(
                f"{path} has other columns than {paths[0]}: {', '.join(differing)}. Give files of "
                "one layout."
            )
        unified = pa.schema(fields)
    return unified


def _say(kind: pa.DataType) -> str:
    return str(kind).replace("large_string", "text").replace("large_binary", "bytes")
