"""What neighbor-keeping projections take from the graph."""

from __future__ import annotations

import numpy as np

from latentmap.errors import LatentmapError
from latentmap.neighbors.graph import NeighborGraph, NeighborList
from latentmap.project.components import leading_components
from latentmap.project.projection import Layout, Values

# With fewer samples each is among the 15 neighbors of every other: there is nothing to keep.
FEWEST = 16


def nearest(graph: NeighborGraph, k: int, purpose: str, remedy: str) -> NeighborList:
    """Return the k nearest neighbors of every row, all of them if there are no more than k.

    Args:
        graph: the neighbor graph.
        k: neighbors per row.
        purpose: what needs them, for the message.
        remedy: which option to change instead of the graph's k, for the message.

    Raises:
        LatentmapError: the graph has fewer columns, or a row that is not filled.
    """
    k = min(k, len(graph.ids) - 1)
    every = graph.every
    if every.k < k:
        raise LatentmapError(
            f"{purpose} needs {k} neighbors per sample and the neighbor graph has {every.k}: set "
            f"neighbors.k to at least {k}, or {remedy}."
        )
    indices, distances = every.indices[:, :k], every.distances[:, :k]
    unfilled = np.flatnonzero((indices < 0).any(axis=1) | ~np.isfinite(distances).all(axis=1))
    if len(unfilled):
        row = unfilled[0]
        raise LatentmapError(
            f"The neighbor graph has less than {k} neighbors in row {row} (id "
            f"'{graph.ids[row]}'), which {purpose} needs: delete it and run again, or {remedy}."
        )
    return NeighborList(indices, distances)


def too_few(values: Values, graph: NeighborGraph, dims: int) -> Layout:
    """Place fewer than `FEWEST` samples on their principal components."""
    coordinates = leading_components(values, graph, dims).coordinates
    return Layout(
        coordinates, {"reduced": f"principal components, for fewer than {FEWEST} samples"}
    )
