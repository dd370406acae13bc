"""What is lost without each source group, against leaving each out in a loop."""

import numpy as np
import pytest

from latentmap.metrics.losses import NeighborsBySource
from latentmap.neighbors.graph import NeighborList


def test_without_a_source_group_the_shares_are_those_of_the_neighbors_that_are_left():
    random = np.random.default_rng(4)
    count, k = 40, 5
    codes, sources = random.integers(0, 3, count), random.integers(0, 6, count)
    away = random.normal(size=(count, 2))
    distances = np.linalg.norm(away[:, None] - away[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argsort(axis=1)[:, :k]
    graph = NeighborList(nearest, np.take_along_axis(distances, nearest, axis=1))

    def without(group):
        left = [[j for j in row if sources[j] != group] for row in nearest]
        rows = [i for i in range(count) if sources[i] != group and left[i]]
        return np.mean([np.mean(codes[left[i]] == codes[i]) for i in rows])

    losses = NeighborsBySource.of(codes, graph, sources).losses()
    found = losses.mean_without_groups(np.zeros(count, np.intp))
    assert found == pytest.approx([without(group) for group in range(6)])
