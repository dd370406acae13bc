"""Probes: votes by hand, closed forms against refits, and the linear probe against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latentmap.metrics.discriminant import Discriminant, HeldOut, Moments
from latentmap.metrics.folds import grouped_folds
from latentmap.metrics.metric import METRICS
from latentmap.metrics.probes import UNTESTED, Answers, occurs_elsewhere

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
    # Recall: a 3/3, b 0/2, c 1/2. F1: a 2·3/(3 + 4), b 0, c 2·1/(2 + 2).
    assert found["probe_knn_balanced_acc"].value == pytest.approx((1 + 0 + 0.5) / 3)
    assert found["probe_knn_macro_f1"].value == pytest.approx((6 / 7 + 0 + 0.5) / 3)


def test_the_own_source_group_has_no_vote(embed):
    # Pairs of one image and label, each pair beside one of the other label.
    line = [[0.0], [0.1], [1.0], [1.1], [10.0], [10.1], [11.0], [11.1]]
    labels = ["a", "a", "b", "b"] * 2
    groups = np.repeat(np.arange(4), 2)
    assert measure("probe_knn", embed(line, labels), k=1)["probe_knn_acc"].value == 1
    grouped = embed(line, labels, source_groups=groups)
    assert measure("probe_knn", grouped, k=1)["probe_knn_acc"].value == 0


def test_metrics_agree_with_scikit_learn(sample):
    metrics = pytest.importorskip("sklearn.metrics")
    codes, rng = sample[1], np.random.default_rng(2)
    labels, given = (rng.permuted(np.stack([codes] * 3), axis=1).T for _ in range(2))
    given[[3, 7, 60], 1] = UNTESTED
    answers = Answers(labels, given)
    for place in range(3):
        kept = given[:, place] != UNTESTED
        pair = labels[kept, place], given[kept, place]
        assert answers.metrics(4)[:, place] == pytest.approx(
            [
                metrics.accuracy_score(*pair),
                metrics.balanced_accuracy_score(*pair),
                metrics.f1_score(*pair, average="macro"),
            ]
        )
        accuracy, expected = answers.metrics(4)[0, place], answers.by_margins(4)[place]
        kappa = (accuracy - expected) / (1 - expected)
        assert kappa == pytest.approx(metrics.cohen_kappa_score(*pair))


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


def test_the_discriminant_is_scikit_learn_s(sample):
    analysis = pytest.importorskip("sklearn.discriminant_analysis")
    values, codes, _ = sample
    ours = Discriminant.fit(Moments.of(values.astype(float), np.eye(4)[codes]), 1e-12)
    theirs = analysis.LinearDiscriminantAnalysis(solver="lsqr").fit(values, codes)
    new = values[np.random.default_rng(4).integers(180, size=(500, 7)), np.arange(7)]
    # They divide by the samples where we divide by the degrees of freedom.
    assert np.mean(ours.answers(new) == theirs.predict(new)) > 0.99


def test_a_penalty_adds_to_the_covariance_within_classes():
    """Against the discriminant of its definition, with more features than samples."""
    rng = np.random.default_rng(3)
    codes = rng.permutation(np.arange(60) % 3)
    values = rng.normal(size=(60, 90)) + 0.7 * rng.normal(size=(3, 90))[codes]
    values, new = values - values.mean(axis=0), rng.normal(size=(200, 90))
    means = np.array([values[codes == code].mean(axis=0) for code in range(3)])
    within = sum(np.cov(values[codes == code].T, ddof=0) * 20 for code in range(3)) / 57
    within += 0.3 * np.mean(np.sum(values**2, axis=0)) / 57 * np.eye(90)
    weights = np.linalg.solve(within, means.T)
    expected = (new @ weights - np.sum(means.T * weights, axis=0) / 2).argmax(axis=1)
    found = Discriminant.fit(Moments.of(values, np.eye(3)[codes]), 0.3).answers(new)
    np.testing.assert_array_equal(found, expected)


def test_refits_in_closed_form_are_refits(sample):
    values, codes, groups = sample
    train, out = np.arange(180) < 140, np.arange(180) >= 140
    features, rng = values.astype(float), np.random.default_rng(5)
    held_out, indicators = HeldOut(features[train], features[out], 0.1), np.eye(4)

    def refitted(rows, labels, penalty=0.1):
        moments = Moments.of(features[rows], indicators[labels])
        return Discriminant.fit(moments, penalty).answers(features[out])

    rows = np.flatnonzero(train)
    found = held_out.answers(indicators[codes[train]])
    np.testing.assert_array_equal(found, refitted(rows, codes[rows]))
    others = rng.permuted(np.stack([codes[train]] * 4), axis=1).T
    of_classes = indicators[others]
    sums = np.einsum("ir,isc->rsc", features[train], of_classes).astype(np.float32)
    permuted = held_out.with_classes(sums, of_classes.sum(axis=0))
    for labels, given in zip(others.T, permuted.T, strict=True):
        np.testing.assert_array_equal(given, refitted(rows, labels))
    # The penalty stays what it was: a multiple of all samples' sum of squares.
    spread = np.square(features[train] - features[train].mean(axis=0)).sum()
    parts = [np.flatnonzero(groups[train] == 100), np.flatnonzero(codes[train] == 3)]
    for part, given in zip(parts, held_out.without(indicators[codes[train]], parts).T, strict=True):
        left = np.delete(rows, part)
        penalty = 0.1 * spread / np.square(features[left] - features[left].mean(axis=0)).sum()
        np.testing.assert_array_equal(given, refitted(left, codes[left], penalty))


def reference(values, codes, groups, seed=0):
    """Accuracy of scikit-learn's logistic regression with its best C on the folds of ours."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    order = np.random.default_rng(seed).permutation(45)
    folds = grouped_folds(codes, order[groups - 100], 5)

    def accuracy(strength):
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=5000))
        right = [
            probe.fit(values[folds != fold], codes[folds != fold]).predict(values[folds == fold])
            == codes[folds == fold]
            for fold in range(5)
        ]
        return np.concatenate(right).mean()

    return [accuracy(strength) for strength in (1, 0.1, 0.01)]


def test_the_linear_probe_is_as_good_as_logistic_regression_with_the_best_penalty(embed, sample):
    pytest.importorskip("sklearn")
    values, codes, groups = sample
    found = measure("probe_linear", embed(values, codes, source_groups=groups))["probe_linear_acc"]
    assert found.value > max(reference(*sample)) - 0.03
    assert found.interval[0] < found.value < found.interval[1] < found.interval[0] + 0.4
    assert found.chance < np.bincount(codes).max() / 180 < found.value - 0.1
    assert found.p_value == 1 / 201


def test_the_penalty_is_chosen_for_many_features(embed, sample):
    """Nearly as many features as samples to train on: C = 1 fits what is noise."""
    pytest.importorskip("sklearn")
    _, codes, groups = sample
    rng = np.random.default_rng(8)
    values = rng.normal(size=(180, 130)) + 0.25 * rng.normal(size=(4, 130))[codes]
    found = measure("probe_linear", embed(values, codes, source_groups=groups))["probe_linear_acc"]
    unchosen, *chosen = reference(values, codes, groups)
    assert found.value > max(chosen) - 0.03
    assert found.value > unchosen


def test_more_features_than_samples_need_no_more_axes(embed, sample):
    """Features of equal variance: one scale for all is what a scale for each would be."""
    pytest.importorskip("sklearn")
    _, codes, groups = sample
    values = np.random.default_rng(5).normal(size=(180, 400))
    values[:, :80] += 0.8 * np.eye(4)[codes].repeat(20, axis=1)
    values = ((values - values.mean(axis=0)) / values.std(axis=0)).astype(np.float32)
    found = measure("probe_linear", embed(values, codes, source_groups=groups))
    assert found["probe_linear_acc"].value == pytest.approx(
        max(reference(values, codes, groups)), abs=5 / 180
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
    assert found[f"{name}_balanced_acc"].chance == pytest.approx(1 / 3, abs=0.02)
    # Of 79 and of three labels: never the one that is alone.
    for metric, whole in (("acc", 79), ("balanced_acc", 3 * 40 * 25 * 14)):
        parts = found[f"{name}_{metric}"].value * whole
        assert parts == pytest.approx(round(parts))


def test_a_label_occurs_elsewhere_in_a_second_group():
    codes, groups = np.array([0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 2])
    assert occurs_elsewhere(codes, groups, 4).tolist() == [False, True, False, False]


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
