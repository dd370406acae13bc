"""How dense an embedding is around each sample of a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from latentmap.report.measures import DENSITY, PERCENTILE
from latentmap.report.points import ShownSamples
from latentmap.store.tables import check_ids, matrix, read_parquet


def read_density(path: Path | str, shown: ShownSamples) -> dict[str, list[float]]:
    """Read the density of the shown samples from a file of sampling weights, in percent.

    Returns:
        `PERCENTILE`, and `DENSITY`: how far the density is between the least and the largest of
        all samples.

    Raises:
        LatentmapError: the file's ids are not the samples'.
    """
    table = read_parquet(path, ["id", "density", "percentile"])
    check_ids(path, table["id"].to_pylist(), shown.ids)
    density = matrix(table["density"]).astype(np.float64)
    span = np.ptp(density)
    scaled = 100 * (density - density.min()) / span if span else np.full(len(density), 50.0)
    columns = {PERCENTILE: matrix(table["percentile"]), DENSITY: scaled}
    return {
        name: [float(f"{value:.1f}") for value in values[shown.rows]]
        for name, values in columns.items()
    }
