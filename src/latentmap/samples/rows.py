"""Rows of Parquet, Arrow and CSV files, read in parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from latentmap.errors import LatentmapError
from latentmap.samples.cells import split_path
from latentmap.samples.columns import ColumnMap
from latentmap.samples.delimited import read_records

BROKEN = "\0broken"
"""Column that says what is wrong with a damaged row; no column of a file is called so."""

SMALLEST_BLOCK, LARGEST_BLOCK = 2**20, 2**31 - 1
"""Bytes of a CSV file that pyarrow reads at once: its default, and the most that it can."""


class Rows:
    """The rows of one or several files with the same columns, in the order of the files.

    Each file is Parquet, an Arrow IPC file, or an Arrow stream as `datasets` writes it; its first
    bytes tell. Arrow files are memory-mapped; of a Parquet file the row groups that are asked for
    are read. A file that ends in `.csv` is read whole.

    Args:
        paths: the files.
        columns: their mapping: what is mapped stays text in a CSV file (`007` is no number).
        keep_broken: whether damaged rows of a CSV file are kept, null but for what is wrong with
            them in a last column `BROKEN`, which is there if there are such rows.

    Raises:
        LatentmapError: a file cannot be read, has damaged rows that are not kept or two columns of
            one name, or has other columns than the first.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        columns: ColumnMap | None = None,
        keep_broken: bool = False,
    ) -> None:
        self._parts: list[_Part] = []
        schemas: list[pa.Schema] = []
        for path in paths:
            schema, parts = _open(path, columns or ColumnMap())
            check_names(path, schema.names)
            if BROKEN in schema.names and not keep_broken:
                raise LatentmapError(
                    f"{path} is not a CSV table ({_first_fault(parts)}). Correct it."
                )
            schemas.append(schema)
            self._parts += parts
            if not schema.equals(schemas[0]):
                raise LatentmapError(
                    f"{path} has other columns than {paths[0]}. Give files of one layout."
                )
        self._schema = schemas[0]
        self._starts = np.cumsum([0, *(part.rows for part in self._parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __iter__(self) -> Iterator[pa.Table]:
        """Read all rows, one part after the other; at least one, which may be empty."""
        if not self._parts:
            yield self._schema.empty_table()
        for part in self._parts:
            yield part.read()

    def take(self, rows: Sequence[int]) -> pa.Table:
        """Read these rows in this order."""
        positions = np.asarray(rows, np.int64)
        if len(positions) == 0:
            return self._schema.empty_table()
        owners = np.searchsorted(self._starts, positions, side="right") - 1
        by_part = np.argsort(owners, kind="stable")
        tables = [
            self._parts[owner].read().take(positions[owners == owner] - self._starts[owner])
            for owner in np.unique(owners)
        ]
        return pa.concat_tables(tables).take(np.argsort(by_part))


@dataclass(frozen=True)
class _Part:
    path: Path
    rows: int
    content: pa.Table | pq.ParquetFile
    group: int = 0

    def read(self) -> pa.Table:
        if isinstance(self.content, pa.Table):
            return self.content
        with _readable(self.path):
            return self.content.read_row_group(self.group)


def _first_fault(parts: Sequence[_Part]) -> str:
    return next(fault for part in parts for fault in part.read()[BROKEN].to_pylist() if fault)


def check_names(path: Path, names: Sequence[str]) -> None:
    """Fail with one line if two columns of a file have one name, of which one would be lost."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise LatentmapError(f"{path} has several columns '{twice[0]}'. Give each its own name.")


def _open(path: Path, columns: ColumnMap) -> tuple[pa.Schema, list[_Part]]:
    if path.suffix.lower() == ".csv":
        table = _read_csv(path, columns)
        return table.schema, [_Part(path, len(table), table)]
    with _readable(path):
        with path.open("rb") as file:
            magic = file.read(6)
        if magic[:4] == b"PAR1":
            parquet = pq.ParquetFile(path, page_checksum_verification=True)
            groups = range(parquet.num_row_groups)
            sizes = [parquet.metadata.row_group(group).num_rows for group in groups]
            parts = [_Part(path, sizes[group], parquet, group) for group in groups]
            return parquet.schema_arrow.remove_metadata(), parts
        read = pa.ipc.open_file if magic == b"ARROW1" else pa.ipc.open_stream
        table = read(pa.memory_map(str(path))).read_all().replace_schema_metadata()
        return table.schema, [_Part(path, len(table), table)]


def _read_csv(path: Path, columns: ColumnMap) -> pa.Table:
    """Read a CSV file; a damaged row is null but for what is wrong with it, in `BROKEN`."""
    from pyarrow import csv

    try:
        header, records = read_records(path)
    except UnicodeDecodeError as error:
        raise LatentmapError(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8."
        ) from None
    faults = [record.fault and f"line {record.line}: {record.fault}" for record in records]
    good = [record for record, fault in zip(records, faults, strict=True) if fault is None]
    mapped = {split_path(p, header.cells)[0] for tried in columns.paths().values() for p in tried}
    types = csv.ConvertOptions(column_types=dict.fromkeys(mapped, pa.string()))
    # A quoted text may have several lines.
    parsing = csv.ParseOptions(newlines_in_values=True)
    content = "".join(record.text for record in (header, *good)).encode()
    reading = csv.ReadOptions(block_size=block_size(len(content)))
    try:
        table = csv.read_csv(BytesIO(content), reading, parsing, types)
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())
        raise LatentmapError(f"{path} is not a CSV table ({reason}). Correct it.") from None
    if len(good) == len(records):
        return table
    position = iter(range(len(good)))
    rows = pa.array([None if fault else next(position) for fault in faults], pa.int64())
    return table.take(rows).append_column(BROKEN, pa.array(faults, pa.string()))


def block_size(content: int) -> int:
    """Return the bytes that pyarrow is to read at once of a CSV file, given the bytes it has.

    It refuses a row that reaches over more than two blocks, so the whole file is one, if it can be.
    """
    return min(max(content, SMALLEST_BLOCK), LARGEST_BLOCK)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise LatentmapError(
            f"{path} is not a complete Parquet or Arrow file ({reason}). Give another, or fetch it "
            "again."
        ) from None
