"""Numbers of samples that can colour, size and filter the points of a map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentmap.report.palette import UNKNOWN, ordered_colors
from latentmap.report.points import ShownSamples
from latentmap.store.tables import check_ids, read_parquet

PERCENTILE = "density_percentile"
"""Column of a map's rows: 0 for the samples of the sparsest places, 100 for those of the densest.
"""

DENSITY = "density_share"
"""Column of a map's rows: how far the density is between the least (0) and the largest (100)."""

OF_DENSITY = {PERCENTILE: "density percentile", DENSITY: "density, % of its range"}

OF_OUTLIERS = {
    "centroid_distance": "distance to the mean of the label",
    "centroid_percentile": "distance to the mean, percentile in the label",
    "prototype_distance": "distance to the nearest center of the label",
    "prototype_percentile": "distance to the center, percentile in the label",
    "prototype_margin": "margin to the centers of other labels",
    "neighbor_disagreement": "share of neighbors with another label",
}

OWN = "own:"
"""Before the name of a column of the samples or annotations."""

STEPS = 64
"""Colours of a continuous scale."""

SCALE = (*ordered_colors(STEPS), UNKNOWN)
"""The colours, dark for the least, and that of samples without a number."""

DIGITS = 4


def own_measures(samples: ShownSamples) -> dict[str, str]:
    """Return the columns of samples, annotations and targets that hold numbers: key and title."""
    return {
        f"{OWN}{name}": name for name, values in samples.columns.items() if _are_numbers(values)
    }


def _are_numbers(values: Sequence[str | None]) -> bool:
    """Whether all values that are there are finite numbers, and not all the same."""
    there = {value for value in values if value}
    try:
        return len(there) > 1 and all(math.isfinite(float(value)) for value in there)
    except ValueError:
        return False


def read_outliers(path: Path | str, shown: ShownSamples) -> Mapping[str, list[Any]]:
    """Read the outlier scores of the shown samples; None where one is not defined.

    Raises:
        LatentmapError: the file's ids are not the samples'.
    """
    table = read_parquet(path)
    check_ids(path, table["id"].to_pylist(), shown.ids)
    return {name: [short(table[name][row].as_py()) for row in shown.rows] for name in OF_OUTLIERS}


def short(value: float) -> float | None:
    """Return a number as pages carry it; None for NaN."""
    return None if math.isnan(value) else float(f"{value:.{DIGITS}g}")
