"""All samples of a run, as its maps, columns and lists of neighbors have to know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.store.files import digest
from latentmap.store.samples import read_samples

NONE = -1
"""The number of the label of a sample that has none."""


@dataclass(frozen=True)
class Everyone:
    """All samples of a run, in their order.

    Attributes:
        table: `id`, `source`, `label`, `label_group`, `source_group`, `width` and `height`.
        ids: (N,) of `table`.
    """

    table: pa.Table
    ids: list[str]

    @property
    def has_pictures(self) -> bool:
        """Whether any sample has a picture."""
        return bool(self.table["width"].null_count < len(self.table))

    @property
    def has_labels(self) -> bool:
        """Whether any sample has a label."""
        return bool(self.table["label"].null_count < len(self.table))

    @property
    def groups(self) -> NDArray[np.intp]:
        """(N,) number of each sample's source group."""
        return _numbers(self.table["source_group"])

    @property
    def labels(self) -> NDArray[np.intp]:
        """(N,) number of each sample's label, `NONE` for none."""
        return _numbers(self.table["label"])

    def key(self, run: str) -> str:
        """Return what identifies these samples of a run and their order."""
        return digest(run, *self.ids)


def read_everyone(samples: Sequence[Path]) -> Everyone:
    """Read what all samples have, from their shards."""
    names = ["id", "source", "label", "label_group", "source_group", "width", "height"]
    table = read_samples(samples, names)
    return Everyone(table, table["id"].to_pylist())


def _numbers(column: pa.ChunkedArray) -> NDArray[np.intp]:
    codes = column.combine_chunks().dictionary_encode().indices
    return codes.fill_null(NONE).to_numpy(zero_copy_only=False).astype(np.intp)
