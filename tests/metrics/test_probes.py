"""Probes: votes by hand, and the linear probe against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latentmap.metrics.folds import grouped_folds
from latentmap.metrics.logistic import fit_logistic
from latentmap.metrics.metric import METRICS
from latentmap.metrics.probes import occurs_elsewhere, probe_measurements

BOTH = pytest.mark.parametrize("name", ["probe_knn", "probe_linear"])


def measure(name, data, **options):
    return METRICS.create(name, options).measure(data)


@pytest.fixture(scope="module")
def sample():
    """180 samples in 45 source groups of four, with four uneven labels that overlap."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(100, 145), 4)
    codes = rng.choice(4, size=180, p=[0.45, 0.3, 0.15, 0.1])
    values = rng.normal(size=(180, 7)) * np.array([1, 9, 0.1, 1, 1, 3, 1]) + 5
    values[:, 0] += 1.5 * codes
    values[:, 2] += 0.1 * (codes == 3)
    return values.astype(np.float32), codes, groups


def test_votes_by_hand(embed):
    # Three nearest of other groups; a tie of three labels goes to the nearest neighbor's.
    line = [[0.0], [1.0], [2.2], [3.5], [10.0], [11.1], [12.3]]
    labels = ["a", "a", "b", "a", "b", "c", "c"]
    # 0: a b a → a. 1: a b a → a. 2: a a a → a. 3: b a a → a.
    # 4: c c a → c. 5: b c a → b. 6: c b a → c.
    found = measure("probe_knn", embed(line, labels), k=3)
    assert found["probe_knn_acc"].value == pytest.approx(4 / 7)
    # The most frequent label, a, is three of seven.
    assert found["probe_knn_acc"].chance == pytest.approx(3 / 7)
    # Recall: a 3/3, b 0/2, c 1/2. F1: a 2·3/(3 + 4), b 0, c 2·1/(2 + 2).
    assert found["probe_knn_balanced_acc"].value == pytest.approx((1 + 0 + 0.5) / 3)
    assert found["probe_knn_macro_f1"].value == pytest.approx((6 / 7 + 0 + 0.5) / 3)
    assert found["probe_knn_macro_f1"].chance == pytest.approx(1 / 3)


def test_the_own_source_group_has_no_vote(embed):
    # Pairs of one image and label, each pair beside one of the other label.
    line = [[0.0], [0.1], [1.0], [1.1], [10.0], [10.1], [11.0], [11.1]]
    labels = ["a", "a", "b", "b"] * 2
    groups = np.repeat(np.arange(4), 2)
    assert measure("probe_knn", embed(line, labels), k=1)["probe_knn_acc"].value == 1
    grouped = embed(line, labels, source_groups=groups)
    assert measure("probe_knn", grouped, k=1)["probe_knn_acc"].value == 0


def test_figures_agree_with_scikit_learn(embed, sample):
    metrics = pytest.importorskip("sklearn.metrics")
    data = embed(sample[0], sample[1])
    answers = np.random.default_rng(2).integers(0, 4, 180)
    found = [m.value for m in probe_measurements("p", data, answers).values()]
    assert found == pytest.approx(
        [
            metrics.accuracy_score(data.codes, answers),
            metrics.balanced_accuracy_score(data.codes, answers),
            metrics.f1_score(data.codes, answers, average="macro"),
        ]
    )


def test_folds_keep_groups_whole_and_balance_labels_as_scikit_learn_does(sample):
    selection = pytest.importorskip("sklearn.model_selection")
    _, codes, groups = sample
    theirs = np.empty(180, np.intp)
    splits = selection.StratifiedGroupKFold(5).split(codes, codes, groups)
    for fold, (_, tested) in enumerate(splits):
        theirs[tested] = fold
    ours = grouped_folds(codes, groups - 100, 5)
    assert len(np.unique(ours)) == 5
    assert len(np.unique(np.stack([ours, groups]), axis=1).T) == 45

    def unevenness(folds):
        counts = np.array([np.bincount(codes[folds == fold], minlength=4) for fold in range(5)])
        return (counts / counts.sum(axis=0)).std(axis=0).mean()

    assert unevenness(ours) < 1.2 * unevenness(theirs)
    assert unevenness(ours) < unevenness(groups % 5) / 2


@pytest.mark.parametrize("width", [7, 300])
def test_logistic_regression_is_scikit_learn_s(sample, width):
    linear_model = pytest.importorskip("sklearn.linear_model")
    codes = sample[1]
    values = np.random.default_rng(3).normal(size=(180, width))
    values[:, :4] += 2 * np.eye(4)[codes]
    values -= values.mean(axis=0)
    ours = fit_logistic(values, codes, 0.5)
    theirs = linear_model.LogisticRegression(C=0.5, tol=1e-8, max_iter=5000).fit(values, codes)
    np.testing.assert_allclose(ours.weights.T, theirs.coef_, atol=0.02)
    new = np.random.default_rng(4).normal(size=(500, width))
    assert np.mean(ours.predict(new) == theirs.predict(new)) > 0.99


def reference(values, codes, groups, seed=0):
    """Accuracy of scikit-learn's probe on the folds of ours."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    order = np.random.default_rng(seed).permutation(45)
    folds = grouped_folds(codes, order[groups - 100], 5)
    probe = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-6, max_iter=5000))
    right = [
        probe.fit(values[folds != fold], codes[folds != fold]).predict(values[folds == fold])
        == codes[folds == fold]
        for fold in range(5)
    ]
    return np.concatenate(right).mean()


def test_the_linear_probe_is_scikit_learn_s(embed, sample):
    pytest.importorskip("sklearn")
    values, codes, groups = sample
    found = measure("probe_linear", embed(values, codes, source_groups=groups))
    assert found["probe_linear_acc"].value == pytest.approx(reference(*sample), abs=1 / 180)
    assert found["probe_linear_acc"].value > found["probe_linear_acc"].chance + 0.1
    assert found["probe_linear_acc"].chance == np.bincount(codes).max() / 180


def test_more_features_than_samples_need_no_more_axes(embed, sample):
    """Features of equal variance: one scale for all is what a scale for each would be."""
    pytest.importorskip("sklearn")
    _, codes, groups = sample
    values = np.random.default_rng(5).normal(size=(180, 400))
    values[:, :80] += 0.8 * np.eye(4)[codes].repeat(20, axis=1)
    values = ((values - values.mean(axis=0)) / values.std(axis=0)).astype(np.float32)
    found = measure("probe_linear", embed(values, codes, source_groups=groups))
    assert found["probe_linear_acc"].value == pytest.approx(
        reference(values, codes, groups), abs=3 / 180
    )
    turned = embed(values[:, ::-1] * 3 + 1, codes, source_groups=groups)
    again = measure("probe_linear", turned)
    assert again["probe_linear_acc"].value == pytest.approx(
        found["probe_linear_acc"].value, abs=1 / 180
    )


@BOTH
def test_what_only_the_source_group_tells_is_not_known(embed, name):
    """Every source group has its place and its label, and places say nothing of other groups'."""
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(60), 6)
    codes = rng.permutation(np.arange(60) % 3)[groups]
    values = 3 * rng.normal(size=(60, 60))[groups] + 0.1 * rng.normal(size=(360, 60))
    options = {"k": 5} if name == "probe_knn" else {}
    alone = measure(name, embed(values, codes), **options)[f"{name}_acc"]
    together = measure(name, embed(values, codes, source_groups=groups), **options)[f"{name}_acc"]
    assert alone.value > 0.95
    # Sixty independent groups: three standard deviations of 1/3 are 0.18.
    assert together.value < 1 / 3 + 0.18


@BOTH
def test_labels_of_one_source_group_are_not_tested(embed, clusters, name):
    values, labels = clusters
    found = measure(name, embed(values, labels))
    assert found[f"{name}_acc"].note == "79 of 80 samples tested."
    assert found[f"{name}_balanced_acc"].chance == pytest.approx(1 / 3)
    scores = found[f"{name}_acc"].scores
    assert np.isnan(scores).tolist() == (labels == "alone").tolist()
    assert np.nanmean(scores) == found[f"{name}_acc"].value


def test_a_label_occurs_elsewhere_in_a_second_group():
    codes, groups = np.array([0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 2])
    assert occurs_elsewhere(codes, groups).tolist() == [False, False, True, True, False]


@BOTH
@pytest.mark.parametrize(
    ("labels", "groups", "reason"),
    [
        ("aaaa", "0123", "All samples have the same label."),
        ("abcd", "0123", "No two samples share a label."),
        ("aabb", "0000", "All samples share one source group."),
        ("aabb", "0011", "No label occurs in two source groups."),
    ],
)
def test_undefined_is_explained(embed, name, labels, groups, reason):
    options = {"k": 1} if name == "probe_knn" else {}
    data = embed([[0.0], [1.0], [2.0], [4.0]], list(labels), source_groups=list(groups), k=1)
    found = measure(name, data, **options)
    assert len(found) == 3
    assert all(math.isnan(m.value) and m.note == reason for m in found.values())


def test_two_source_groups_are_two_folds(embed):
    rng = np.random.default_rng(7)
    codes = np.tile([0, 1], 20)
    values = rng.normal(size=(40, 3)) + 8 * codes[:, np.newaxis]
    data = embed(values, codes, source_groups=np.arange(40) // 20)
    assert measure("probe_linear", data)["probe_linear_acc"].value == 1


def test_a_large_set_is_drawn_from(embed, sample):
    values, codes, groups = sample
    found = measure("probe_linear", embed(values, codes, source_groups=groups), max_samples=100)
    assert found["probe_linear_acc"].note == "100 of 180 samples tested."
