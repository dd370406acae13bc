"""Parquet and Arrow files, read in the parts that they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from latentmap.samples.tables.casts import plain_schema, plain_table
from latentmap.samples.tables.contents import Content, readable
from latentmap.samples.tables.file import Place, TableFile

ROWS_PER_PART = 2**14
"""Of a larger part, so many rows are listed at once: Python values take more memory than Arrow."""

WHAT = "not a complete Parquet or Arrow file"


class Columnar(TableFile):
    """A Parquet file, by its row groups, or an Arrow file or stream, by its batches.

    Args:
        content: the file; Arrow files that are not packed are mapped into memory.

    Raises:
        LatentmapError: it is damaged.
    """

    def __init__(self, content: Content) -> None:
        self._path = content.path
        with readable(content.path, WHAT):
            schema, sizes, self._read = _open(content)
            self.schema: pa.Schema = plain_schema(schema)
        self._starts = np.cumsum([0, *sizes])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def scan(self, paths: Sequence[str]) -> Iterator[pa.Table]:
        """Yield one part after the other; see `TableFile.scan`."""
        for number in range(len(self._starts) - 1):
            part = self._part(number)
            for start in range(0, len(part), ROWS_PER_PART):
                yield part.slice(start, ROWS_PER_PART)

    def take(self, rows: Sequence[int], places: Mapping[int, Place] | None = None) -> pa.Table:
        """Read rows from the parts that have them; see `TableFile.take`."""
        positions = np.asarray(rows, np.int64)
        if len(positions) and positions.max() >= len(self):
            raise IndexError(int(positions.max()))
        owners = np.searchsorted(self._starts, positions, side="right") - 1
        by_part = np.argsort(owners, kind="stable")
        tables = [
            self._part(owner).take(positions[owners == owner] - self._starts[owner])
            for owner in np.unique(owners)
        ]
        if not tables:
            return self.schema.empty_table()
        return pa.concat_tables(tables).take(np.argsort(by_part))

    def _part(self, number: int) -> pa.Table:
        with readable(self._path, WHAT):
            return plain_table(self._read(int(number)))


Opened = tuple[pa.Schema, Sequence[int], Callable[[int], pa.Table]]
"""Schema, rows of each part, and what reads a part."""


def _open(content: Content) -> Opened:
    if content.head[:4] == b"PAR1":
        source = content.path if content.packer is None else pa.BufferReader(content.whole())
        parquet = pq.ParquetFile(source, page_checksum_verification=True)
        groups = range(parquet.num_row_groups)
        sizes = [parquet.metadata.row_group(group).num_rows for group in groups]
        return parquet.schema_arrow, sizes, parquet.read_row_group
    read = pa.ipc.open_file if content.head[:6] == b"ARROW1" else pa.ipc.open_stream
    reader = read(pa.BufferReader(content.whole()))
    schema = reader.schema
    batches = reader.read_all().to_batches()
    sizes = [len(batch) for batch in batches]
    return schema, sizes, lambda part: pa.Table.from_batches([batches[part]], schema)
