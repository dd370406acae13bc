"""Principal components against scikit-learn, on both sides of N = D."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from latentmap.project.components import principal_components


@pytest.mark.parametrize(("rows", "dims"), [(300, 12), (40, 700), (50, 50)])
def test_coordinates_and_shares_are_those_of_scikit_learn(rows, dims):
    random = np.random.default_rng(rows)
    scales = np.linspace(3, 0.1, dims)
    values = (random.normal(size=(rows, dims)) * scales + 20).astype(np.float32)
    reference = PCA(3, svd_solver="full").fit(values.astype(np.float64))
    expected = reference.transform(values.astype(np.float64))
    largest = np.abs(reference.components_).argmax(axis=1)
    expected *= np.sign(reference.components_[np.arange(3), largest])

    found = principal_components(values, 3)

    np.testing.assert_allclose(found.coordinates, expected, rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(found.shares, reference.explained_variance_ratio_, rtol=1e-5)
    assert found.coordinates.dtype == np.float32


@pytest.mark.parametrize("dims", [5, 400])
def test_coordinates_beyond_the_rank_are_zero(dims):
    line = np.linspace(-1, 1, 30)[:, None] * np.arange(1, dims + 1) + 7
    found = principal_components(line.astype(np.float32), 3)
    assert np.ptp(found.coordinates[:, 0]) > 1
    assert not found.coordinates[:, 1:].any()
    assert found.shares == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("dims", [3, 200])
def test_identical_rows_have_zero_coordinates(dims):
    values = np.full((20, dims), 0.1, np.float32)
    found = principal_components(values, 2)
    assert not found.coordinates.any()
    assert not found.shares.any()


def test_more_components_than_dimensions_are_filled_with_zero():
    values = np.arange(12, dtype=np.float32)[:, None] ** 2
    coordinates = principal_components(values, 3).coordinates
    np.testing.assert_allclose(coordinates[:, 0], values[:, 0] - values.mean(), rtol=1e-6)
    assert coordinates.shape == (12, 3)
    assert not coordinates[:, 1:].any()
