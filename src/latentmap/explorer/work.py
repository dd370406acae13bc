"""What the writers of one explorer share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.explorer.columns import Columns
from latentmap.explorer.everyone import Everyone
from latentmap.explorer.site import Site
from latentmap.store.results import Artifact, Key, Results
from latentmap.store.tables import check_ids, matrix, read_parquet


@dataclass(frozen=True)
class Work:
    """What the writers of one explorer share.

    Attributes:
        results: the run.
        everyone: its samples.
        site: where the explorer is written.
        columns: of the explorer, as far as they are written.
    """

    results: Results
    everyone: Everyone
    site: Site
    columns: Columns

    def numbers(
        self, artifact: Artifact[pa.Table], key: Key, names: list[str]
    ) -> dict[str, NDArray[np.floating]]:
        """Read columns of numbers, (N,) each, from a table of all samples.

        Raises:
            LatentmapError: its rows are not the samples.
        """
        path = self.results.path(artifact, *key)
        table = read_parquet(path, ["id", *names])
        check_ids(path, table["id"].to_pylist(), self.everyone.ids)
        return {name: matrix(table[name]) for name in names}
