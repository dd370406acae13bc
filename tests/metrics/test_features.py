"""What linear classifiers see of an embedding, beside scikit-learn and planted truth."""

from __future__ import annotations

import numpy as np
import pytest

from latentmap.metrics.features import AXES, leading_columns, linear_features, scaled
from latentmap.metrics.metric import METRICS
from latentmap.targets.ridge import Ridge, dealt


@pytest.fixture(scope="module")
def axes_of_words():
    """120 samples on as many principal axes, of which the five longest know the label."""
    rng = np.random.default_rng(3)
    codes = rng.integers(3, size=120)
    values = rng.normal(size=(120, 400)) * np.geomspace(8, 0.1, 400)
    values[:, :5] += 16 * np.eye(3)[codes] @ rng.normal(size=(3, 5))
    left, lengths, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    return (left * lengths).astype(np.float32), codes


def test_features_of_different_units_are_standardised():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    values = np.random.default_rng(0).normal(size=(90, 12)) * np.geomspace(1e-3, 1e5, 12) + 7
    values[:, 3] = 2.5
    expected = preprocessing.StandardScaler().fit_transform(values)
    assert scaled(values) == pytest.approx(expected, abs=1e-9)
    # Many, but nearly the same: there is enough to learn from.
    related = values[:, :1] * np.ones(60) + 1e-4 * np.random.default_rng(1).normal(size=(90, 60))
    expected = preprocessing.StandardScaler().fit_transform(related)
    assert scaled(related) == pytest.approx(expected, abs=1e-9)


def test_as_many_axes_as_samples_keep_their_lengths(axes_of_words, embed):
    values, codes = axes_of_words
    assert scaled(values) == pytest.approx(values - values.mean(axis=0), abs=1e-5)

    def accuracy(dims):
        found = METRICS.create("probe_linear", {}).measure(embed(values[:, :dims], codes))
        return found["probe_linear_acc"].value

    assert accuracy(5) > 0.8
    assert accuracy(120) > accuracy(5) - 0.05


def test_a_regression_on_as_many_axes_as_samples_predicts_what_the_longest_do(axes_of_words):
    values, _ = axes_of_words
    target = values[:, :5].sum(axis=1, keepdims=True).astype(np.float64)
    folds = dealt(np.arange(120), 5, seed=0)

    def explained(dims):
        predicted = Ridge(linear_features(values[:, :dims]), folds).fit(target).predicted
        return 1 - np.square(predicted - target).mean() / target.var()

    assert explained(5) > 0.95
    assert explained(120) > 0.9


def test_many_features_are_brought_to_their_leading_axes():
    decomposition = pytest.importorskip("sklearn.decomposition")
    rng = np.random.default_rng(4)
    values = (rng.normal(size=(900, 30)) @ rng.normal(size=(30, 500))).astype(np.float32)
    found = linear_features(values)
    assert found.shape == (900, AXES)
    spread = (values - values.mean(axis=0)) / values.std(axis=0)
    expected = decomposition.PCA(30, svd_solver="full").fit(spread.astype(np.float64))
    assert found.var(axis=0)[:30] == pytest.approx(
        expected.explained_variance_ * 899 / 900, rel=1e-4
    )
    wide = linear_features(values[:40])
    expected = decomposition.PCA(svd_solver="full").fit_transform(values[:40].astype(np.float64))
    assert wide @ wide.T == pytest.approx(expected @ expected.T, rel=1e-4, abs=1e-1)
    rotated = expected[:, ::-1].astype(np.float32)
    assert leading_columns(rotated)[:, :5] == pytest.approx(expected[:, :5], abs=1e-3)
