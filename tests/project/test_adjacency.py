"""Whether a graph of neighbors hangs together."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from latentmap.neighbors.graph import NeighborList
from latentmap.project.adjacency import is_connected


def test_connectedness_is_that_of_scipy():
    random = np.random.default_rng(0)
    found = []
    for _ in range(200):
        rows, k = int(random.integers(2, 40)), int(random.integers(1, 3))
        indices = random.integers(rows, size=(rows, k)).astype(np.int32)
        neighbors = NeighborList(indices, np.ones(indices.shape, np.float32))
        found.append(is_connected(neighbors))
        starts = np.arange(rows + 1) * k
        graph = csr_array((np.ones(indices.size), indices.ravel(), starts), (rows, rows))
        assert found[-1] == (connected_components(graph, connection="weak")[0] == 1)
    assert 20 < sum(found) < 180


def test_a_long_ring_is_connected_and_two_are_not():
    ring = np.roll(np.arange(5000, dtype=np.int32), 1)[:, np.newaxis]
    assert is_connected(NeighborList(ring, np.ones(ring.shape, np.float32)))
    two = np.concatenate([ring, ring + 5000])
    assert not is_connected(NeighborList(two, np.ones(two.shape, np.float32)))
