"""Wide tables on their principal axes: the same distances, and components of scikit-learn."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from latentmap.neighbors.distances import Points
from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import read_graph, write_graph
from latentmap.neighbors.rotation import rotate
from latentmap.project.components import first_axes


def wide(rows=80, dims=900):
    random = np.random.default_rng(0)
    values = random.normal(size=(rows, dims)) * np.linspace(4, 0.5, dims) + 10
    return values.astype(np.float32)


def rotated(values):
    ids = [str(row) for row in range(len(values))]
    return find_neighbors(ids, values, ids, 3).rotated


def squared_distances(values):
    values = values.astype(np.float64)
    return ((values[:, np.newaxis] - values) ** 2).sum(axis=2)


def test_distances_stay():
    values = wide()
    found = rotated(values)
    assert found.shape == (80, 79)
    assert found.dtype == np.float32
    expected = squared_distances(values)
    np.testing.assert_allclose(squared_distances(found), expected, rtol=1e-5)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)


def test_axes_are_the_principal_ones_of_all_rows():
    values = wide()[np.repeat(np.arange(60), 1 + np.arange(60) % 3)]
    reference = PCA(3, svd_solver="full").fit(values.astype(np.float64))
    expected = reference.transform(values.astype(np.float64))
    largest = np.take_along_axis(expected, np.abs(expected).argmax(axis=0)[np.newaxis], axis=0)
    found = first_axes(rotated(values), 3)
    np.testing.assert_allclose(found.coordinates, expected * np.sign(largest), atol=1e-2)
    np.testing.assert_allclose(found.shares, reference.explained_variance_ratio_, rtol=1e-4)


def test_identical_rows_stay_identical():
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(30), 2))
    found = rotated(wide(30)[order])
    assert len(np.unique(found, axis=0)) == 30
    np.testing.assert_array_equal(found[order == 7], found[order == 7][[1, 0]])


def test_rows_that_do_not_differ_are_at_the_centre():
    found = rotated(np.full((5, 40), 3, np.float32))
    assert not found.any()
    components = first_axes(found, 2)
    assert not components.coordinates.any()
    assert not components.shares.any()


@pytest.mark.parametrize("shape", [(50, 50), (50, 3)])
def test_tables_that_are_not_wider_than_long_are_left_alone(shape):
    assert rotated(wide(*shape)) is None


def test_long_tables_are_left_alone():
    values = np.zeros((4097, 5000), np.float32)
    assert rotate(Points(values[:1]), np.zeros(4097, np.intp)) is None


def test_the_file_keeps_them(tmp_path):
    values = wide()
    ids = [f"sample {row}" for row in range(len(values))]
    graph = find_neighbors(ids, values, ids, 3)
    write_graph(tmp_path / "graph.parquet", graph)
    np.testing.assert_array_equal(read_graph(tmp_path / "graph.parquet").rotated, graph.rotated)
