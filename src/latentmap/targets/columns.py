"""The columns of a run's samples, those of their annotations among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.config import unknown
from latentmap.errors import LatentmapError
from latentmap.samples.cells import as_text, cells, split_path
from latentmap.store.tables import check_ids, read_arrow, read_arrow_schema, read_parquet

HIDDEN = ("image", "digest")
"""Columns that no target is."""


def check_column(path: str, names: Sequence[str], key: str) -> None:
    """Check that a column of the samples exists.

    Args:
        path: its name; a dot leads into nested values.
        names: of all columns.
        key: of the configuration that names it.

    Raises:
        LatentmapError: there is no such column; names those that there are and the nearest match.
    """
    if split_path(path, names)[0] not in names:
        shown = [name for name in names if name not in HIDDEN]
        raise LatentmapError(f"{key}: {unknown('column of the samples', path, shown)}")


@dataclass(frozen=True)
class SampleColumns:
    """What the samples of a run say in columns of their own, of their source or of annotations.

    Attributes:
        shards: files of samples, in the manifest's order.
        annotations: file of what is joined to them, if anything is.
    """

    shards: Sequence[Path | str]
    annotations: Path | str | None = None

    @cached_property
    def ids(self) -> list[str]:
        """(N,) of all samples."""
        return [one for path in self.shards for one in read_arrow(path, ["id"])["id"].to_pylist()]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(dict.fromkeys([*(n for one in self._own for n in one), *self._joined]))

    def values(self, path: str, key: str) -> list[Any]:
        """Return the values of a column, (N,); None where a sample has none.

        Args:
            path: its name; a dot leads into nested values.
            key: of the configuration that names it.

        Raises:
            LatentmapError: there is no such column, or nothing of this name inside it.
        """
        check_column(path, self.names, key)
        column, keys = split_path(path, self.names)
        found = [value for part in self._parts(column) for value in cells(part, path)]
        if keys and all(value is None for value in found):
            raise LatentmapError(f"{key}: no sample has '{'.'.join(keys)}' in its '{column}'.")
        return found

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Return some columns of all samples; as text where sources store one differently."""
        return pa.table({name: self._whole(name) for name in columns})

    def having(self, where: Mapping[str, Collection[str]], key: str) -> NDArray[np.bool_]:
        """Return which samples have values that match a pattern, of every column, (N,).

        Args:
            where: patterns of the shell by column.
            key: of the configuration that names them.

        Raises:
            LatentmapError: there is no such column.
        """
        chosen = np.ones(len(self.ids), np.bool_)
        for column, patterns in where.items():
            texts = map(as_text, self.values(column, f"{key}.{column}"))
            chosen &= [
                text is not None and any(fnmatchcase(text, pattern) for pattern in patterns)
                for text in texts
            ]
        return chosen

    @cached_property
    def _own(self) -> list[list[str]]:
        return [read_arrow_schema(path).names for path in self.shards]

    @cached_property
    def _joined(self) -> dict[str, pa.ChunkedArray]:
        """The annotations' columns but for those that samples have themselves."""
        if self.annotations is None:
            return {}
        table = read_parquet(self.annotations)
        check_ids(self.annotations, table["id"].to_pylist(), self.ids)
        own = {name for names in self._own for name in names}
        return {name: table[name] for name in table.column_names if name not in own}

    def _parts(self, column: str) -> list[pa.Table]:
        """Return a column by shard, with nulls in shards without it."""
        if column in self._joined:
            return [pa.table({column: self._joined[column]})]
        parts = []
        for path, names in zip(self.shards, self._own, strict=True):
            table = read_arrow(path, [column if column in names else "id"])
            if column not in names:
                table = pa.table({column: pa.nulls(len(table))})
            parts.append(table)
        return parts

    def _whole(self, column: str) -> pa.Array | pa.ChunkedArray:
        parts = self._parts(column)
        try:
            return pa.concat_tables(parts, promote_options="default")[column]
        except pa.ArrowInvalid:
            values = (value for part in parts for value in part[column].to_pylist())
            return pa.array(map(as_text, values), pa.string())
