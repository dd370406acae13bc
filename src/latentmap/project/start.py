"""Where projections that keep neighbors start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentmap.neighbors.graph import NeighborGraph
from latentmap.project.components import leading_components
from latentmap.project.projection import Values

# Steps from the centre of the map to its edge. The last digits of a component depend on the
# processor; on this grid they decide nothing.
STEPS = 1024
# Share of the way to the edge by which samples on one point of the grid are parted.
NOISE = 1e-4


def random_places(count: int, dims: int, seed: int) -> NDArray[np.float64]:
    """Return (count, dims) places anywhere, each coordinate between -1 and 1."""
    return np.random.default_rng(seed).uniform(-1, 1, (count, dims))


def starting_places(
    values: Values, graph: NeighborGraph, dims: int, seed: int
) -> NDArray[np.float64]:
    """Return the principal components of the embedding, the farthest coordinate at about 1.

    Groups that no neighbor connects start where the embedding has them, and all seeds start from
    one picture: what a map keeps of distances between groups comes from its start, and principal
    components serve as well as the spectrum of the graph (Kobak and Linderman 2021,
    doi:10.1038/s41587-020-00809-z).

    Args:
        values: gives the (N, D) float32 embedding.
        graph: its neighbors.
        dims: coordinates per sample.
        seed: of the noise that parts samples which coincide.

    Returns:
        (N, dims).
    """
    components = leading_components(values, graph, dims).coordinates.astype(np.float64)
    places = np.rint(components * (STEPS / (np.abs(components).max() or 1.0))) / STEPS
    return places + np.random.default_rng(seed).normal(scale=NOISE, size=places.shape)
