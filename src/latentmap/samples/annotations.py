"""Annotations: tables of other tools, such as a model's predictions, joined to the samples."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from latentmap.config import Options, UserPath, unknown
from latentmap.errors import LatentmapError
from latentmap.names import Title
from latentmap.samples.cells import cells, split_path
from latentmap.samples.columns import name_of
from latentmap.samples.matching import Matches, match_rows
from latentmap.samples.sheets import (
    RATIONALE,
    Cells,
    Sheet,
    column_names,
    read_table,
    unfold_rationales,
)
from latentmap.samples.spelling import plain_name
from latentmap.store.files import digest
from latentmap.store.tables import read_arrow, read_arrow_schema, with_facts, write_parquet

FILE = "annotation_file"
"""The column that says which of several files with the same prefix a sample is in."""

NOT_FOUND = "unknown (not found)"
"""What it says of a sample that is in none of them."""

NAMED = 5
"""Of rows that are counted, this many are named."""


class AnnotationOptions(Options):
    """A table that adds columns to the samples.

    Files with the same prefix are parts of one table: they fill the same columns, and the column
    `annotation_file` says which of them a sample is in, or that it is in none.

    Attributes:
        path: the file: CSV, TSV, JSON, Parquet or Arrow.
        header: whether the first row of a CSV file names its columns; they are `column_1`,
            `column_2` and so on if not.
        on: column of the samples by which rows are matched: by its full value, else by the name
            of the file that it ends in where only one sample and one row have it.
        key: column of the file that holds the same; that of the same name by default.
        columns: which columns to join; all but the key by default.
        prefix: put before the names of the columns.
        name: of the file in that column; its file name without suffix by default.
    """

    path: UserPath
    header: bool = True
    on: str = "id"
    key: str | None = None
    columns: tuple[str, ...] | None = None
    prefix: str = ""
    name: Title = ""


def digest_annotation(options: AnnotationOptions) -> str:
    """Digest the content of an annotation file.

    Raises:
        LatentmapError: there is no such file.
    """
    try:
        return digest(Path(options.path).read_bytes())
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise LatentmapError(
            f"{options.path}: {reason}. Check 'path' under 'annotations'."
        ) from None


def check_annotation(options: AnnotationOptions) -> None:
    """Check that an annotation file is there and has the columns; of JSON, only the rows tell.

    Raises:
        LatentmapError: it cannot be read, or lacks the key or a column.
    """
    digest_annotation(options)
    names = column_names(Path(options.path), options.header)
    if names:
        _check_columns(options, names)


def join_annotations(
    annotations: Sequence[AnnotationOptions], samples: Sequence[Path | str], output: Path | str
) -> None:
    """Join annotation files to the samples.

    Where files with the same prefix say different things of a sample, the first one counts.

    Args:
        annotations: the files, in the order in which they count.
        samples: shards of samples.
        output: Parquet with id and the joined columns (text, null where nothing joins), in the
            samples' order; what was joined and what was not is JSON in the schema's metadata.

    Raises:
        LatentmapError: a file cannot be read, or a column is missing.
    """
    tables = [read_arrow(path, _told(path)) for path in samples]
    ids: list[str] = [sample for table in tables for sample in table["id"].to_pylist()]
    prefixes = [options.prefix for options in annotations]
    joined: dict[str, Cells] = {}
    annotated: set[int] = set()
    facts = []
    for options in annotations:
        sheet = read_sheet(options)
        # Samples are known by names as they are shown, whatever a file holds.
        keys = list(map(name_of, sheet.columns[options.key or options.on]))
        matches = match_rows(_values(tables, options.on), keys)
        differing = _fill(joined, _chosen_columns(sheet, options), options.prefix, matches.rows)
        if prefixes.count(options.prefix) > 1:
            _add_name(joined, options, matches.rows)
        annotated.update(sample for sample, row in enumerate(matches.rows) if row is not None)
        facts.append(_facts(options, sheet, keys, matches, differing))
        logging.info("%s", facts[-1])
    for prefix in set(prefixes):
        if (column := joined.get(prefix + FILE)) is not None and prefixes.count(prefix) > 1:
            joined[prefix + FILE] = [value or NOT_FOUND for value in column]
    told = {"files": facts, "samples": len(ids), "without": len(ids) - len(annotated)}
    columns = {"id": ids, **joined}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    write_parquet(output, with_facts(table, told))


def _told(samples: Path | str) -> list[str]:
    """Return the columns by which rows can be matched: all but the images."""
    return [name for name in read_arrow_schema(samples).names if name != "image"]


def read_sheet(options: AnnotationOptions) -> Sheet:
    """Read an annotation file as text; the keys of its rationales are columns.

    Raises:
        LatentmapError: it cannot be read, or lacks the key or a column.
    """
    sheet = read_table(Path(options.path), options.header)
    _check_columns(options, sheet.columns)
    if RATIONALE in sheet.columns:
        unfold_rationales(sheet)
    return sheet


def _check_columns(options: AnnotationOptions, there: Iterable[str]) -> None:
    names = list(there)
    for wanted in (options.key or options.on, *(options.columns or ())):
        if wanted not in names:
            problem = unknown("column", wanted, names)
            raise LatentmapError(f"{options.path}: {problem} Set 'key' or 'columns' to what is.")


def _name(options: AnnotationOptions) -> str:
    return options.name or Path(options.path).stem


def _chosen_columns(sheet: Sheet, options: AnnotationOptions) -> dict[str, Cells]:
    key = options.key or options.on
    if options.columns is None:
        return {name: values for name, values in sheet.columns.items() if name != key}
    unfolded = tuple(f"{RATIONALE}." for name in options.columns if name == RATIONALE)
    return {
        name: values
        for name, values in sheet.columns.items()
        if name in options.columns or name.startswith(unfolded)
    }


def _values(tables: Sequence[pa.Table], column: str) -> Cells:
    """Return the samples' values of a column, which only some sources may have.

    Raises:
        LatentmapError: none of them has it.
    """
    names = list(dict.fromkeys(name for table in tables for name in table.column_names))
    if split_path(column, names)[0] not in names:
        problem = unknown("column of the samples", column, names)
        raise LatentmapError(f"{problem} Set 'on' under 'annotations' to one.")
    return [
        name_of(value)
        for table in tables
        for value in (
            cells(table, column)
            if split_path(column, table.column_names)[0] in table.column_names
            else [None] * len(table)
        )
    ]


def _fill(
    joined: dict[str, Cells],
    columns: Mapping[str, Cells],
    prefix: str,
    rows: Sequence[int | None],
) -> int:
    """Fill what is still empty; return for how many samples another value was there before."""
    differing = set()
    for name, values in columns.items():
        into = joined.setdefault(_free_name(prefix + name), [None] * len(rows))
        for sample, row in enumerate(rows):
            value = None if row is None else values[row]
            if into[sample] is None:
                into[sample] = value
            elif value not in (None, into[sample]):
                differing.add(sample)
    return len(differing)


def joined_names(options: AnnotationOptions) -> list[str]:
    """Return what the columns that a file joins to the samples are called.

    Raises:
        LatentmapError: it cannot be read, or lacks the key or a column.
    """
    return [
        _free_name(options.prefix + name) for name in _chosen_columns(read_sheet(options), options)
    ]


def _free_name(name: str) -> str:
    """Keep a file's own `id` beside that of the samples; see `plain_name`."""
    return "annotation.id" if name == "id" else plain_name(name)


def _add_name(
    joined: dict[str, Cells], options: AnnotationOptions, rows: Sequence[int | None]
) -> None:
    """Name the file for every sample that it has a row for; a sample may be in several."""
    into = joined.setdefault(options.prefix + FILE, [None] * len(rows))
    for sample, row in enumerate(rows):
        if row is not None:
            into[sample] = ", ".join(filter(None, (into[sample], _name(options))))


def _facts(
    options: AnnotationOptions,
    sheet: Sheet,
    keys: Sequence[str | None],
    matches: Matches,
    differing: int,
) -> dict[str, Any]:
    """Return what is told of one file; of rows that no sample asks for, the first keys."""
    lost = sorted([*matches.unmatched, *matches.ambiguous])
    return {
        "name": options.prefix + _name(options),
        "path": options.path,
        "rows": len(keys) + len(sheet.malformed),
        "samples": sum(row is not None for row in matches.rows),
        "unmatched": len(matches.unmatched),
        "ambiguous": len(matches.ambiguous),
        "repeated": len(matches.repeated),
        "malformed": len(sheet.malformed),
        "unparsed": sheet.unparsed,
        "differing": differing,
        "lost_keys": [keys[row] for row in lost[:NAMED]],
        "malformed_lines": sheet.malformed[:NAMED],
    }
