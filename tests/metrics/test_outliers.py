"""Scores of samples that are unlike others of their label."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from latentmap.metrics.outliers import UNLABELLED, OutlierOptions, score_outliers
from latentmap.neighbors.exact import find_neighbors


def score(values, labels, groups=None, **options):
    values = np.asarray(values, np.float32)
    if values.ndim == 1:
        values = values[:, np.newaxis]
    groups = np.arange(len(values)) if groups is None else np.asarray(groups)
    ids = [str(row) for row in range(len(values))]
    graph = find_neighbors(ids, values, list(map(str, groups)), 10)
    return score_outliers(values, np.asarray(labels), groups, graph, OutlierOptions(**options))


def test_distances_on_a_line_are_to_the_others_of_a_label():
    found = score([0, 2, 4, 10, 11], [0, 0, 0, 1, 1], prototypes=1, k=2)
    assert found.centroid_distance.tolist() == [3, 0, 3, 1, 1]
    assert found.centroid_percentile.tolist() == [75, 0, 75, 50, 50]
    assert found.prototype_distance.tolist() == [3, 0, 3, 1, 1]
    # the other label's centres: 10.5 from the left, 2 from the right
    assert found.prototype_margin.tolist() == [7.5, 8.5, 3.5, 7, 8]
    assert found.neighbor_disagreement.tolist() == [0, 0, 0, 0.5, 0.5]


def test_samples_of_one_source_group_do_not_vouch_for_each_other():
    values, labels = [0, 0, 0, 6, 8, 1], [0, 0, 0, 0, 0, 1]
    found = score(values, labels, groups=[0, 0, 0, 1, 2, 0], prototypes=1, k=1)
    assert found.centroid_distance.tolist()[:5] == [7, 7, 7, 4, 6.5 - 5 + 5]
    assert np.isnan(found.centroid_distance[5]), "its label has no other source group"
    assert np.isnan(found.prototype_margin[5])
    assert found.neighbor_disagreement.tolist()[:3] == [0, 0, 0]  # 6 is nearest, not 1


def test_a_label_with_two_modes_has_two_prototypes_and_an_outlier_has_none_of_its_own():
    rng = np.random.default_rng(3)
    modes = [rng.normal(size=(40, 5)) + 20 * sign for sign in (1, -1)]
    planted = np.zeros((1, 5))
    values, labels = np.concatenate([*modes, planted]), np.zeros(81, int)
    found = score(values, labels, prototypes=3)
    assert found.centroid_distance[80] < 2, "the mean of both modes is where nobody is"
    assert found.prototype_distance[80] > 40
    assert found.prototype_percentile[80] == 100
    assert np.median(found.prototype_distance[:80]) < 4


def test_wrong_labels_are_found():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=(50, 8)), rng.normal(size=(50, 8)) + 3])
    labels = np.repeat([0, 1], 50)
    wrong = rng.choice(100, 6, replace=False)
    labels[wrong] = 1 - labels[wrong]
    found = score(values, labels, prototypes=1)
    others = np.setdiff1d(np.arange(100), wrong)
    assert (found.prototype_margin[wrong] < 0).all() and (found.prototype_margin[others] > 0).all()
    assert found.neighbor_disagreement[wrong].min() > found.neighbor_disagreement[others].max()
    assert found.centroid_percentile[wrong].min() > 80


def test_a_sample_without_a_label_has_no_scores_and_counts_for_none():
    with_it = score([0, 2, 4, 3, 9, 9.5], [0, 0, 0, UNLABELLED, 1, 1], k=2)
    assert all(np.isnan(values[3]) for values in vars(with_it).values())
    without = score([0, 2, 4, 9, 9.5], [0, 0, 0, 1, 1], k=1)
    kept = [0, 1, 2, 4, 5]
    np.testing.assert_array_equal(with_it.centroid_distance[kept], without.centroid_distance)
    assert with_it.neighbor_disagreement[[0, 1, 2]].tolist() == [0, 0, 0]


def test_many_rows_are_scored_as_few(monkeypatch):
    rng = np.random.default_rng(1)
    values, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    whole = score(values, labels)
    monkeypatch.setattr("latentmap.metrics.outliers.ROWS_AT_ONCE", 7)
    for one, other in zip(vars(whole).values(), vars(score(values, labels)).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    # against all distances at once: the mean of the others is the mean, drawn away from the sample
    for label in range(3):
        own = np.flatnonzero(labels == label)
        mean = values[own].mean(axis=0, keepdims=True)
        expected = cdist(values[own].astype(np.float32), mean)[:, 0] * len(own) / (len(own) - 1)
        assert whole.centroid_distance[own] == pytest.approx(expected, rel=1e-6)
