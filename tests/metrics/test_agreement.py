"""Neighbor agreement by hand, and its chance level by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics

from latentmap.errors import LatentmapError
from latentmap.metrics.agreement import agreement
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import METRICS

LINE = [[0.0], [1.0], [2.1], [10.0], [11.0], [12.1]]
LABELS = ["a", "a", "b", "b", "b", "a"]


def measure(name, data, **options):
    return METRICS.create(name, options).measure(data)


def test_shares_by_hand(embed):
    # Two nearest: 0: a b, 1: a b, 2: a a, 3: b a, 4: b a, 5: b b.
    data = embed(LINE, LABELS)
    found = measure("knn_category", data, k=2)
    assert found["knn_category_acc"].value == pytest.approx((4 * 0.5) / 6)
    # Label a: 0.5, 0.5, 0; label b: 0, 0.5, 0.5.
    assert found["knn_category_acc_macro"].value == pytest.approx(1 / 3)
    # Neighbors drawn at random: of the other five, two have the sample's label.
    assert found["knn_category_acc"].chance == pytest.approx(2 / 5, abs=0.02)


def test_mean_and_median_are_over_labels(embed):
    # Labels of 4, 2 and 2 samples; nearest neighbor's label right for 1, 1 and 0 of them.
    values = [[0], [1], [10], [11], [100], [101], [111], [120]]
    labels = ["a", "a", "a", "a", "b", "b", "c", "d"]
    found = measure("knn_category", embed(values, labels), k=1)
    assert found["knn_category_acc"].value == pytest.approx(6 / 8)
    assert found["knn_category_acc_macro"].value == pytest.approx((1 + 1 + 0 + 0) / 4)
    assert found["knn_category_acc_median"].value == pytest.approx(0.5)
    # Over samples: six of eight.
    assert found["knn_category_rate_mean"].value == pytest.approx(6 / 8)
    assert found["knn_category_rate_median"].value == 1


@pytest.mark.parametrize("grouped", [False, True])
def test_macro_averages_are_scikit_learns_over_all_pairs_of_neighbors(embed, grouped):
    """The recall of labels where every neighbor is an answer to its sample."""
    rng = np.random.default_rng(2)
    labels = rng.choice(4, 150, p=[0.6, 0.25, 0.1, 0.05])
    values = rng.normal(size=(150, 3)) + 1.2 * np.eye(4, 3)[labels]
    groups = np.arange(150) // 3 if grouped else np.arange(150)
    distances = sklearn.metrics.pairwise_distances(values)
    distances[groups[:, None] == groups] = np.inf
    nearest = labels[distances.argsort(axis=1)[:, :7]]
    data = embed(values, labels, labels // 2, groups, k=7)
    found = measure("knn_category", data, k=7) | measure("knn_group", data, k=7)
    for name, true, answers in (
        ("knn_category", np.repeat(labels, 7), nearest.ravel()),
        ("knn_group", np.repeat(labels, 7) // 2, nearest.ravel() // 2),
    ):
        micro, macro = (found[f"{name}_acc{average}_grouped"] for average in ("", "_macro"))
        assert micro.value == pytest.approx(sklearn.metrics.accuracy_score(true, answers))
        assert macro.value == pytest.approx(
            sklearn.metrics.recall_score(true, answers, average="macro")
        )
        assert macro.value == pytest.approx(sklearn.metrics.balanced_accuracy_score(true, answers))
        assert macro.p_value <= 0.01 and micro.p_value <= 0.01
        assert macro.chance_range[0] < macro.chance < macro.chance_range[1] < macro.value


def test_planted_clusters_agree_and_planted_leaks_do_not(embed):
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], 40)
    planted = 20 * (labels == "a")[:, None] + 50 * (labels == "b")[:, None]
    data = embed(rng.normal(size=(120, 3)) + planted, labels)
    assert measure("knn_category", data)["knn_category_acc_grouped"].value == 1
    # Each image has one place in the map and questions of one label: neighbors only seem to know.
    images = np.arange(120) // 12
    labels = rng.permutation(["a", "b", "c", "d", "e"] * 2)[images]
    leaking = embed(100 * rng.normal(size=(10, 3))[images], labels, source_groups=images)
    found = measure("knn_category", leaking)
    assert found["knn_category_acc"].value == 1
    assert found["knn_category_acc_grouped"].value < 0.4


def test_label_groups(embed):
    data = embed(LINE, LABELS, label_groups=["x", "x", "x", "y", "y", "y"])
    found = measure("knn_group", data, k=2)
    assert found["knn_group_acc"].value == 1
    assert found["knn_group_acc"].chance == pytest.approx(2 / 5, abs=0.02)
    alike = embed(LINE, LABELS, label_groups=["x"] * 6)
    note = measure("knn_group", alike, k=2)["knn_group_acc"].note
    assert note == "All samples have the same label group."


def test_chance_is_what_random_embeddings_give(embed):
    rng = np.random.default_rng(1)
    images = np.repeat(np.arange(12), [1, 1, 2, 3, 4, 4, 5, 6, 6, 8, 10, 10])
    labels = np.array(["a", "b", "c"])[np.minimum(rng.geometric(0.5, len(images)) - 1, 2)]
    groups = np.where(labels == "a", "x", "y")
    runs, few = [], StatisticsOptions(permutations=40)
    for _ in range(150):
        values = rng.normal(size=(len(images), 2))
        data = embed(values, labels, groups, images, k=5, statistics=few)
        runs.append(measure("knn_category", data, k=5) | measure("knn_group", data, k=5))
    with_chance = [name for name in runs[0] if runs[0][name].chance is not None]
    assert len(with_chance) == 12
    for name in with_chance:
        above = np.array([run[name].value - run[name].chance for run in runs])
        error = above.std() / np.sqrt(len(above))
        assert abs(above.mean()) < 3.5 * error < 0.02, name


def test_short_lists_count_the_neighbors_that_they_hold(embed):
    data = embed(LINE, ["a", "a", "a", "a", "b", "b"], source_groups=["1", "1", "1", "1", "1", "2"])
    found = measure("knn_category", data, k=2)
    # Outside its image each of the first five sees only row 5 (b); row 5 sees 4 (b) and 3 (a).
    assert found["knn_category_acc_grouped"].value == pytest.approx((0 * 4 + 1 + 0.5) / 6)
    # One of the first five has label b and sees row 5, which sees it with two of five in turn.
    assert found["knn_category_acc_grouped"].chance == pytest.approx((1 + 1 / 5) / 6, abs=0.01)


def test_one_source_group_leaves_nothing_to_compare(embed):
    data = embed(LINE, LABELS, source_groups=["1"] * 6)
    found = measure("knn_category", data, k=2)
    assert found["knn_category_acc"].value == pytest.approx(1 / 3)
    for name in ("acc", "acc_macro", "acc_median"):
        metric = found[f"knn_category_{name}_grouped"]
        assert math.isnan(metric.value)
        assert metric.note == "All samples share one source group."


def test_too_few_samples_or_neighbors(embed):
    found = measure("knn_category", embed(LINE, LABELS), k=6)
    note = "With 6 samples all others are among the 6 nearest neighbors."
    assert {metric.note for metric in found.values()} == {note}
    with pytest.raises(LatentmapError, match=r"4 nearest neighbors .* holds 3"):
        measure("knn_group", embed(LINE, LABELS, k=3), k=4)


def label_rates(embed, random, structure, signal):
    """Labels of fixed sizes, three to a source group or alone, at places of their own."""
    if structure == "alone":
        labels = np.repeat(np.arange(6), (12, 16, 20, 24, 40, 60))
        groups = np.arange(len(labels))
    else:
        of_group = np.repeat(np.arange(6), (10, 12, 14, 16, 18, 20))
        groups, labels = np.repeat(np.arange(90), 3), np.repeat(of_group, 3)
    places = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1]])
    values = random.normal(size=(len(labels), 3)) + signal * places[labels]
    values += 0.5 * random.normal(size=(groups.max() + 1, 3))[groups]
    data = embed(values, labels, source_groups=groups)
    found = agreement(data.codes, data.graph.grouped, data.sources, 10)
    return found.by_class(found.shares), found.class_intervals(found.losses(data.sources))


@pytest.mark.parametrize("signal", [0, 2])
@pytest.mark.parametrize("structure", ["alone", "in groups"])
def test_intervals_of_labels_hold_for_all_of_them_at_once(embed, structure, signal):
    draws = [
        label_rates(embed, np.random.default_rng(seed), structure, signal) for seed in range(80)
    ]
    rates, intervals = (np.array(part) for part in zip(*draws, strict=True))
    expected = rates.mean(axis=0)
    covered = (intervals[..., 0] <= expected) & (expected <= intervals[..., 1])
    assert covered.all(axis=1).mean() >= 0.93
    # Intervals of single labels that do not know that their neighbors vary too would not hold.
    assert (intervals[..., 1] - intervals[..., 0]).mean() < 3 * 2 * 2.64 * rates.std(axis=0).mean()


def test_a_label_in_few_source_groups_has_no_interval(embed):
    random = np.random.default_rng(0)
    labels, groups = np.repeat([0, 1], (30, 30)), np.r_[np.arange(30), 30 + np.arange(30) // 5]
    data = embed(random.normal(size=(60, 3)), labels, source_groups=groups)
    found = agreement(data.codes, data.graph.grouped, data.sources, 10)
    assert np.isfinite(found.class_intervals(found.losses(data.sources))).tolist() == [
        [True] * 2,
        [False] * 2,
    ]
