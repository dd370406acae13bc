"""Jackknife over source groups and Holm's adjustment, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from latentmap.metrics import inference
from latentmap.metrics.inference import (
    Spread,
    group_sums,
    holm,
    interval_of,
    jackknife,
    jackknife_parts,
)
from latentmap.metrics.measure import measure


def test_samples_without_a_score_count_neither_above_nor_below():
    scores = np.array([[1.0, 5.0], [np.nan, 5.0], [3.0, np.nan]])
    sums, counts = group_sums(scores, np.array([0, 0, 1]))
    assert sums.tolist() == [[1, 10], [3, 0]]
    assert counts.tolist() == [[1, 2], [1, 0]]


def test_a_jackknife_of_a_mean_is_the_interval_of_student(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.uniform(size=30)
    parts = jackknife_parts(np.arange(30), seed=0)
    without = np.array([np.delete(values, part).mean() for part in parts])
    expected = scipy.stats.t.interval(0.95, 29, values.mean(), scipy.stats.sem(values))
    spread = jackknife(without)
    assert spread.freedom == 29
    assert interval_of(values.mean(), spread) == pytest.approx(expected)
    # Source groups stay whole, and of many some are left out together.
    monkeypatch.setattr(inference, "PARTS", 4)
    groups = np.arange(30) // 3
    parts = jackknife_parts(groups, seed=0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(30))
    assert sorted(len(part) // 3 for part in parts) == [2, 2, 3, 3]
    assert all(np.isin(groups, groups[part]).sum() == len(part) for part in parts)


@pytest.mark.parametrize(("right", "count"), [(3, 40), (37, 40), (200, 400)])
def test_the_interval_of_a_share_is_wilsons(right, count):
    share = right / count
    error = np.sqrt(share * (1 - share) / count)
    expected = scipy.stats.binomtest(right, count).proportion_ci(method="wilson")
    # With so many degrees of freedom Student's t is the normal distribution.
    assert interval_of(share, Spread(error, 1e7), (0, 1)) == pytest.approx(
        tuple(expected), abs=1e-6
    )
    turned = interval_of(1 - 2 * share, Spread(2 * error, 1e7), (-1, 1))
    assert turned == pytest.approx((1 - 2 * expected.high, 1 - 2 * expected.low), abs=1e-6)


def test_a_spread_that_few_parts_make_is_itself_uncertain():
    """Standard errors of 30 values: their own spread tells the degrees of freedom."""
    rng = np.random.default_rng(0)
    for draw, least, most in (
        (rng.uniform, 29, 29),
        (rng.standard_normal, 15, 29),
        (lambda size: rng.standard_t(5, size), 6, 25),
        (lambda size: rng.random(size) < 0.03, 1, 6),
    ):
        found = [jackknife(draw(size=30).astype(float)).freedom for _ in range(400)]
        assert least <= np.median(found) <= most
    with_one = jackknife(np.append(np.zeros(99), 1.0))
    assert 2 < with_one.freedom < 2.1


def test_what_is_alike_everywhere_is_as_sure_as_the_parts_are_many():
    for value in (0.0, 1.0):
        ends = [interval_of(value, jackknife(np.full(parts, value)), (0, 1)) for parts in (10, 100)]
        widths = [high - low for low, high in ends]
        assert all(low <= value <= high and 0 <= low < high <= 1 for low, high in ends)
        # A share of less than 1 - 3 / parts would show in one of them, 95 % of the time.
        assert 3 / 10 < widths[0] < 0.35 and 3 / 100 < widths[1] < 0.04
    assert interval_of(0.5, Spread(0.0, 9)) == (0.5, 0.5)


def test_holm():
    # Times 4, 3, 2, 1 in rising order, never falling, at most 1 (Holm 1979).
    given = np.array([0.01, 0.04, 0.03, 0.005, np.nan])
    assert holm(given)[:4] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert math.isnan(holm(given)[4])
    assert holm(np.array([0.9, 0.8])).tolist() == [1, 1]
    assert holm(np.array([])).tolist() == []


def test_metrics_with_contributions_have_intervals_around_them(embed, clusters):
    metrics, _ = measure(embed(*clusters), {"knn_category": None, "knn_group": None})
    for name in ("knn_category_acc", "knn_category_acc_grouped", "knn_group_acc"):
        low, high = metrics[name].interval
        assert low < metrics[name].value < high < low + 0.4
        assert metrics[name].note is None
    # The mean over labels hangs on a label with one sample.
    low, high = metrics["knn_category_acc_macro"].interval
    assert high - low > 0.4
    # As small as five times the permutations that were asked for make it.
    assert metrics["knn_category_acc"].p_value == pytest.approx(1 / 5001)
    assert metrics["knn_category_acc_median"].interval is None


@pytest.mark.parametrize(
    ("groups", "note"),
    [
        (1, "No interval: 1 source group is too few."),
        (9, "No interval: 9 source groups are too few."),
    ],
)
def test_few_source_groups_have_no_interval(embed, clusters, groups, note):
    values, labels = clusters
    data = embed(values, labels, source_groups=np.arange(80) % groups)
    metrics, _ = measure(data, {"knn_category": None})
    assert metrics["knn_category_acc"].interval is None
    assert metrics["knn_category_acc"].note.endswith(note)
    data = embed(values, labels, source_groups=np.arange(80) % 10)
    assert measure(data, {"knn_category": None})[0]["knn_category_acc"].interval is not None
