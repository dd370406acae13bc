"""What is said of other samples, held against such samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kendalltau

from latentmap.metrics.replication import fresh_sample, groups_needed
from latentmap.metrics.simultaneous import GroupMeans, p_best

COUNT = 40
METHODS = 12


def draw(rng, count, levels):
    """Draw scores of related methods, (N, methods), and the source groups of the samples."""
    groups = np.repeat(np.arange(count), rng.integers(1, 7, count))
    loadings = 0.4 * np.random.default_rng(1).normal(size=(3, len(levels)))
    parts = [
        rng.normal(size=(count, width))[groups] + rng.normal(size=(len(groups), width))
        for width in (1, 3, len(levels))
    ]
    return levels + parts[0] + parts[1] @ loadings + 0.3 * parts[2], groups


def predicted_and_seen(rng, levels):
    """Return what was predicted of a fresh sample, and what one was like."""
    scores, groups = draw(rng, COUNT, levels)
    means = GroupMeans.of(scores, groups, 200, 0)
    order = np.argsort(-means.values).tolist()
    predicted = fresh_sample(means, order)
    again = draw(rng, COUNT, levels)[0].mean(axis=0)
    low, high = predicted.kendall[1:]
    tau = kendalltau(scores.mean(axis=0), again).statistic
    expected = [predicted.keeps_best, predicted.kendall[0]]
    return [*expected, order[0] == again.argmax(), tau, low <= tau <= high]


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3])
def test_predictions_are_right_on_average(spread):
    """Methods are drawn anew, and with them a sample and a fresh one."""
    rng = np.random.default_rng(0)
    found = [predicted_and_seen(rng, spread * rng.normal(size=METHODS)) for _ in range(150)]
    keeps, expected, kept, tau, inside = np.transpose(np.array(found, float))
    for each, truth in ((keeps, kept), (expected, tau)):
        apart = each - truth
        assert abs(apart.mean()) < max(3 * apart.std() / math.sqrt(len(apart)), 0.1)
    assert inside.mean() >= 0.9


def test_one_that_leads_is_expected_to_lead_again():
    """Though the others, which are equal, say that expected values do not differ."""
    rng, levels = np.random.default_rng(5), np.repeat([0.7, 0.0], [1, 23])
    found = np.array([predicted_and_seen(rng, levels) for _ in range(80)], float)
    keeps, _, kept, *_ = found.mean(axis=0)
    assert kept > 0.5
    assert abs(keeps - kept) < 0.15


def test_equal_methods_promise_nothing_and_halves_say_less_than_fresh_samples():
    rng = np.random.default_rng(2)
    equal = np.array([predicted_and_seen(rng, np.zeros(METHODS))[:2] for _ in range(60)])
    assert (equal.mean(axis=0) < [0.3, 0.25]).all()
    rows = []
    for _ in range(60):
        levels = 0.3 * rng.normal(size=METHODS)
        scores, groups = draw(rng, COUNT, levels)
        means = GroupMeans.of(scores, groups, 200, 0)
        half = rng.permutation(COUNT)[groups] < COUNT // 2
        of_halves = kendalltau(scores[half].mean(axis=0), scores[~half].mean(axis=0)).statistic
        again = kendalltau(means.values, draw(rng, COUNT, levels)[0].mean(axis=0)).statistic
        order = np.argsort(-means.values).tolist()
        rows.append([fresh_sample(means, order).kendall[0], of_halves, again])
    predicted, of_halves, again = np.mean(rows, axis=0)
    assert again - of_halves > 0.08
    assert abs(predicted - again) < 0.08


def test_a_clear_order_is_kept_and_twins_count_once():
    rng = np.random.default_rng(3)
    scores, groups = draw(rng, COUNT, np.array([6.0, 4.0, 2.0, 0.0]))
    means = GroupMeans.of(scores[:, [0, 0, 1, 2, 3]], groups, 200, 0)
    found = fresh_sample(means, range(5))
    assert found.keeps_best == 1
    assert found.kendall == (1, 1, 1)
    assert fresh_sample(means, [0, 1]).keeps_best == 1
    assert fresh_sample(means, [0, 1, 2]).kendall is None


@pytest.mark.parametrize("unit", [1e-40, 1e40])
def test_the_unit_of_the_scores_does_not_matter(unit):
    rng = np.random.default_rng(4)
    scores, groups = draw(rng, COUNT, np.linspace(0, 1, METHODS))
    order = np.argsort(-scores.mean(axis=0)).tolist()
    found, scaled = (
        fresh_sample(GroupMeans.of(scores * by, groups, 200, 0), order) for by in (1, unit)
    )
    assert scaled.keeps_best == pytest.approx(found.keeps_best, abs=0.02)
    assert scaled.kendall == pytest.approx(found.kendall, abs=0.05)


def test_so_many_source_groups_tell_the_best_from_the_next():
    """In four of five samples of the size that is asked for, where the difference is as found."""
    rng = np.random.default_rng(4)
    scores, groups = draw(rng, 60, np.zeros(3))
    gap = np.array([0.15, 0.0, -2.0])
    scores += gap - scores.mean(axis=0)
    means = GroupMeans.of(scores, groups, 400, 0)
    needed = groups_needed(means, 0, 1, [0, 1])
    assert 60 < needed < 3000
    assert groups_needed(means, 0, 1, [0, 1, 2]) > 1.1 * needed
    told = []
    for seed in range(100):
        more = GroupMeans.of(*draw(rng, round(needed), gap), 200, seed)
        told.append(p_best(more, [0, 1])[1] <= 0.05)
    # Of the spread of the difference, 60 source groups give an estimate.
    assert 0.6 < np.mean(told) < 0.95
    same = GroupMeans.of(scores[:, [0, 0, 1]], groups, 200, 0)
    assert groups_needed(same, 0, 1, [0, 1]) == math.inf
