"""Local density: how close the nearest neighbors of a sample are, and weights against it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.intrinsic_dimension import intrinsic_dimension
from latentmap.metrics.ranks import mean_ranks
from latentmap.neighbors.graph import NeighborGraph, nearest
from latentmap.store.tables import numbers, strings, with_facts, write_parquet

COINCIDE = "All samples coincide: every density is 1."

NO_DIMENSION = (
    "Weights are inverse to the density: the nearest neighbors tell no intrinsic dimension."
)

# Least effective sample size of weights by volume, as a share of the samples.
LEAST_EFFECTIVE = 0.1
# Largest logarithm of a ratio of volumes that is told from a larger one.
LARGEST = 300

Weights = Literal["inverse", "volume"]


class DensityOptions(Options):
    """Options of the local density.

    Attributes:
        k: nearest neighbors whose mean distance is the inverse of a sample's local density.
        weights: of sampling: `inverse` to the density, or by `volume`, which draws sparse regions
            as often as dense ones of the same extent.
    """

    k: int = Field(default=10, ge=1)
    weights: Weights = "inverse"


@dataclass(frozen=True)
class LocalDensity:
    """How dense an embedding is around each of its samples.

    Attributes:
        density: (N,) inverse mean distance to the nearest neighbors, positive and finite.
        note: what a reader must know of how it was computed, if anything.
        dimension: the intrinsic dimension, where weights are by volume.
    """

    density: NDArray[np.float64]
    note: str | None = None
    dimension: float | None = None

    @property
    def percentile(self) -> NDArray[np.float64]:
        """(N,) percentile rank among the other samples, 0 (rarest) to 100; ties share the mean."""
        others = len(self.density) - 1
        if others == 0:
            return np.array([50.0])
        return 100 * mean_ranks(self.density) / others

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """(N,) sampling weights, which sum to 1.

        They are inverse to the density or, where there is a dimension, to its power of that: the
        volume that a sample has around it for its own. Draws by volume meet two regions of the same
        extent equally often, however many samples there are in each. Few samples would make up most
        of them where volumes differ widely, so that the largest are capped: at the highest one that
        leaves an effective sample size of a tenth of the samples.
        """
        rarity = 1 / self.density
        if self.dimension is not None:
            rarity = _volumes(rarity, self.dimension)
        return rarity / rarity.sum()


def _volumes(radii: NDArray[np.float64], dimension: float) -> NDArray[np.float64]:
    """Return the volumes of balls, up to a factor, the largest of them capped if need be."""
    # No cap below the largest tenth is needed, so that volumes are given in units of its least.
    tenth = np.sort(radii)[-math.ceil(LEAST_EFFECTIVE * len(radii))]
    volumes = np.exp(np.minimum(dimension * np.log(radii / tenth), LARGEST))
    caps = np.sort(volumes)
    above = np.arange(len(caps), 0, -1) - 1
    sums, squares = np.cumsum(caps) + above * caps, np.cumsum(caps**2) + above * caps**2
    enough = sums**2 >= LEAST_EFFECTIVE * len(caps) * squares
    return np.minimum(volumes, caps[enough][-1])


def local_density(graph: NeighborGraph, k: int, weights: Weights = "inverse") -> LocalDensity:
    """Return the local density of every sample: 1 / mean distance to its k nearest neighbors.

    Neighbors are all other samples, those of the same source group included. A sample that
    coincides with its k nearest neighbors would be infinitely dense; it gets the largest finite
    density, so that its weight is small and not zero.

    Args:
        graph: the neighbors, exact or approximate.
        k: neighbors looked at; all others where there are fewer.
        weights: what sampling weights are made of.

    Raises:
        LatentmapError: the graph holds fewer than k neighbors per row.
    """
    distances = nearest(graph.every, k).distances
    present = np.isfinite(distances)
    sums = np.where(present, distances, 0).sum(axis=1, dtype=np.float64)
    means = sums / np.maximum(present.sum(axis=1), 1)
    positive = means[means > 0]
    if len(positive) == 0:
        return LocalDensity(np.ones(len(means)), COINCIDE)
    notes = []
    if len(means) <= k:
        notes.append(f"With {len(means)} samples the density is over all {len(means) - 1} others.")
    if len(positive) < len(means):
        equal = len(means) - len(positive)
        notes.append(
            f"{equal} samples coincide with their nearest neighbors and get the largest density."
        )
    dimension = None
    if weights == "volume":
        dimension = intrinsic_dimension(distances)
        if not math.isfinite(dimension):
            dimension = None
            notes.append(NO_DIMENSION)
    return LocalDensity(1 / np.maximum(means, positive.min()), " ".join(notes) or None, dimension)


def effective_number(weights: NDArray[Any]) -> float:
    """Return how many equal weights these weights are worth, 1 to their number.

    (sum w)^2 / sum w^2. Of samples it is the effective sample size (Kish 1965, Survey Sampling,
    section 11.7); of the shares of classes the inverse of Simpson's index (Simpson 1949), which
    is the diversity of order 2 (Hill 1973).
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def write_sampling_weights(
    path: Path | str, ids: list[str], found: LocalDensity, k: int, neighbors: Mapping[str, Any]
) -> None:
    """Write the sampling weights of one embedding.

    The file holds id, density (float32), percentile (float32, 0 to 100) and weight (float64, sum
    1). JSON in the metadata of its schema says `k`, `samples`, the `effective_sample_size` of the
    weights (`samples` is that of uniform ones), the intrinsic `dimension` (null but for weights by
    volume), the exactness of the `neighbors`, and `note`.

    Args:
        path: Parquet file.
        ids: (N,) sample ids.
        found: their density.
        k: neighbors looked at.
        neighbors: exactness of the neighbor graph.
    """
    table = pa.table(
        {
            "id": strings(ids),
            "density": numbers(found.density.astype(np.float32)),
            "percentile": numbers(found.percentile.astype(np.float32)),
            "weight": numbers(found.weights),
        }
    )
    facts = {
        "k": k,
        "samples": len(ids),
        "effective_sample_size": float(f"{effective_number(found.weights):.9g}"),
        "dimension": found.dimension and float(f"{found.dimension:.9g}"),
        "neighbors": dict(neighbors),
        "note": found.note,
    }
    write_parquet(path, with_facts(table, facts))
