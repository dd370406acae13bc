"""How dense an embedding is around each sample of a map."""

from __future__ import annotations

from pathlib import Path

from latentmap.report.points import ShownSamples
from latentmap.store.tables import check_ids, matrix, read_parquet

PERCENTILE = "density_percentile"
"""Column of a map's rows: 0 for the samples of the sparsest places, 100 for those of the densest.
"""


def read_density(path: Path | str, shown: ShownSamples) -> list[float]:
    """Read the density percentile of the shown samples from a file of sampling weights.

    Raises:
        LatentmapError: the file's ids are not the samples'.
    """
    table = read_parquet(path, ["id", "percentile"])
    check_ids(path, table["id"].to_pylist(), shown.ids)
    return [float(f"{value:.1f}") for value in matrix(table["percentile"])[shown.rows]]


def rarity() -> str:
    """Return the Vega expression of how much larger than others a sample's point is, by area.

    From 2.5 in the sparsest places to 0.4 in the densest; in between it is 1, as without.
    """
    return f"pow(6.25, 0.5 - datum.{PERCENTILE} / 100)"
