"""Where maps start: principal components whose last digits do not matter."""

import numpy as np
from sklearn.decomposition import PCA

from latentmap.project.start import starting_places


def places(values, graph, seed=0):
    return starting_places(lambda: values, graph, 2, seed)


def test_the_start_is_the_principal_components_on_a_scale_of_one(clusters, graph_of):
    values, _ = clusters
    expected = PCA(2, svd_solver="full").fit_transform(values.astype(np.float64))
    expected /= np.abs(expected).max()
    found = places(values, graph_of(values))
    found = found * np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_the_last_digits_of_the_embedding_do_not_move_it(clusters, graph_of):
    values, _ = clusters
    noise = 1 + 1e-7 * np.random.default_rng(0).normal(size=values.shape)
    other = (values * noise).astype(np.float32)
    assert not np.array_equal(values, other)
    graph = graph_of(values)
    np.testing.assert_array_equal(places(values, graph), places(other, graph))


def test_samples_that_coincide_are_parted_a_little_by_every_seed(graph_of):
    values = np.repeat(np.eye(4, dtype=np.float32), 5, axis=0)
    graph = graph_of(values)
    first, second = (places(values, graph, seed) for seed in (0, 1))
    assert len(np.unique(first, axis=0)) == 20
    assert 0 < np.abs(first - second).max() < 2e-3
    assert np.ptp(places(np.ones((20, 4), np.float32), graph), axis=0).max() < 2e-3
