"""What is said of many methods at once holds, where samples are drawn anew many times."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from latentmap.metrics import simultaneous
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import Key
from latentmap.metrics.ranking import RankedMethods
from latentmap.metrics.simultaneous import (
    GroupMeans,
    best_minus_best,
    joined,
    p_best,
    p_different,
    same,
)

RUNS = 200
DRAWS = 199
# What more of 200 tests at the 5 % level than one in a hundred such tests would call significant.
MOST = scipy.stats.binom.ppf(0.99, RUNS, 0.05) / RUNS


def normal(rng, size):
    return rng.normal(size=size)


def skewed(rng, size):
    return rng.exponential(size=size) - 1


def draw(rng, count, levels, deviate=normal):
    """Draw scores of related methods, (N, methods), and the source groups of the samples.

    Methods share most of what makes a sample easy, and more with some methods than with others;
    groups have one to six samples, which resemble each other.
    """
    groups = np.repeat(np.arange(count), rng.integers(1, 7, count))
    methods = len(levels)
    loadings = 0.4 * np.random.default_rng(methods).normal(size=(4, methods))
    parts = [
        deviate(rng, (count, width))[groups] + deviate(rng, (len(groups), width))
        for width in (1, 4, methods)
    ]
    return levels + parts[0] + parts[1] @ loadings + 0.2 * parts[2], groups


def draw_ties(rng, count, levels):
    """Draw shares of ten neighbors that differ between methods in one of thirty samples."""
    groups = np.repeat(np.arange(count), rng.integers(1, 7, count))
    changed = rng.random((len(groups), len(levels))) < 1 / 30
    signs = rng.choice([-0.1, 0.1], size=changed.shape)
    return levels + rng.binomial(10, 0.3, size=(len(groups), 1)) / 10 + changed * signs, groups


def means_of(drawn, seed=0):
    return GroupMeans.of(*drawn, DRAWS, seed)


def pairwise(scores, groups, rng):
    """Whether the ordinary bootstrap interval of the best minus each method is above 0."""
    sums = np.stack([np.bincount(groups, column) for column in scores.T], axis=1)
    sizes = np.bincount(groups)
    times = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=400)
    means = times @ sums / (times @ sizes)[:, np.newaxis]
    best = scores.mean(axis=0).argmax()
    return np.quantile(means[:, [best]] - means, 0.025, axis=0) > 0


def test_a_band_of_one_mean_is_the_interval_of_student():
    values = np.random.default_rng(0).normal(size=30)
    means = GroupMeans.of(values[:, np.newaxis], np.arange(30), 4000, 0)
    expected = scipy.stats.t.interval(0.95, 29, values.mean(), scipy.stats.sem(values))
    assert np.ravel(means.means([0]).band()) == pytest.approx(expected, abs=0.02)
    # Groups stay whole: each sample three times, as one group, changes nothing.
    thrice = GroupMeans.of(np.repeat(values, 3)[:, np.newaxis], np.arange(90) // 3, 4000, 0)
    assert np.ravel(thrice.means([0]).band()) == pytest.approx(np.ravel(means.means([0]).band()))


def test_rotated_differences_have_the_t_distribution():
    """Langsrud 2005: exactly, whatever the scores are; here larger groups have the higher ones."""
    sizes = np.array([1, 2, 4, 9, 15])
    groups = np.repeat(np.arange(5), sizes)
    scores = np.stack([1 + sizes[groups] / 10, np.zeros(len(groups))], axis=1)
    drawn = GroupMeans.of(scores, groups, 4000, 0).tested_by_chance(0, [1])[:, 0]
    assert scipy.stats.kstest(drawn, scipy.stats.t(4).cdf).pvalue > 0.001


def test_batches_draw_the_same(monkeypatch):
    drawn = draw(np.random.default_rng(0), 30, np.zeros(2))
    whole = means_of(drawn).differences(0, [1]).draws
    monkeypatch.setattr(simultaneous, "BATCH", 70)
    assert means_of(drawn).differences(0, [1]).draws == pytest.approx(whole)


@pytest.mark.parametrize("count", [12, 60])
@pytest.mark.parametrize("methods", [5, 24])
def test_of_equal_methods_all_may_be_the_best(count, methods):
    rng, equal = np.random.default_rng(0), np.zeros(methods)
    excluded, one_by_one = [], []
    for seed in range(RUNS):
        drawn = draw(rng, count, equal)
        excluded.append((p_best(means_of(drawn, seed), range(methods)) <= 0.05).any())
        one_by_one.append(pairwise(*drawn, rng).any())
    assert np.mean(excluded) <= MOST
    # What intervals of each difference alone would call lower than the best.
    assert np.mean(one_by_one) > 0.15


@pytest.mark.parametrize(
    "drawn", [draw_ties, lambda *given: draw(*given, skewed)], ids=["ties", "skewed"]
)
def test_ties_and_skewness_exclude_no_more(drawn):
    rng, equal = np.random.default_rng(1), np.zeros(24)
    found = [p_best(means_of(drawn(rng, 100, equal), seed), range(24)) for seed in range(RUNS)]
    assert (np.min(found, axis=1) <= 0.05).mean() <= MOST


def test_the_best_stay_and_the_others_leave():
    """Three are the best; the others are below by what one comparison would mostly find."""
    rng, levels = np.random.default_rng(2), np.repeat([0.5, 0.0], [3, 21])
    found = np.array(
        [p_best(means_of(draw(rng, 100, levels), seed), range(24)) for seed in range(RUNS)]
    )
    assert (found[:, :3] <= 0.05).any(axis=1).mean() <= MOST
    assert (found[:, 3:] <= 0.05).mean() > 0.8


def test_a_lead_is_found():
    rng, levels = np.random.default_rng(3), np.repeat([0.7, 0.0], [1, 23])
    found = np.array(
        [p_best(means_of(draw(rng, 150, levels), seed), range(24)) for seed in range(50)]
    )
    assert (np.sort(found, axis=1)[:, -2] <= 0.05).mean() > 0.7


def test_methods_that_are_the_same_are_never_told_apart():
    rng = np.random.default_rng(4)
    scores, groups = draw(rng, 40, np.array([0.0, 0.0, 1.0, 0.0]))
    twins = np.column_stack([scores[:, [2, 2]] + 1e-9 * rng.normal(size=(len(scores), 2)), scores])
    means = means_of((twins.astype(np.float32).astype(np.float64), groups))
    p_values = p_best(means, range(6))
    assert p_values[[0, 1, 4]].tolist() == [1, 1, 1]
    assert (p_values[[2, 3, 5]] <= 0.05).all()
    assert same(means, 0, [1, 2, 4]) == [1, 4]
    # A difference that is the same in every sample is certain, however small.
    above = means_of((np.column_stack([scores[:, 0], scores[:, 0] + 1e-3]), groups))
    assert same(above, 0, [1]) == []
    assert p_best(above, [0, 1])[0] <= 0.05
    (low,), (high,) = above.differences(1, [0]).band()
    assert (low, high) == pytest.approx((1e-3, 1e-3), rel=1e-3)


@pytest.mark.parametrize("count", [12, 60])
def test_the_interval_of_the_best_knows_that_it_was_chosen(count):
    rng, equal = np.random.default_rng(5), np.zeros(24)
    covered, covered_alone, wider = [], [], []
    for seed in range(RUNS):
        means = means_of(draw(rng, count, equal), seed)
        best = int(means.values.argmax())
        ends = [means.means(members) for members in (list(range(24)), [best])]
        (low, high), (low_alone, high_alone) = (one.band() for one in ends)
        covered.append(low[best] <= 0 <= high[best])
        covered_alone.append(low_alone[0] <= 0 <= high_alone[0])
        wider.append((high - low)[best] / (high_alone - low_alone)[0])
    assert np.mean(covered) >= 0.93
    # An interval that does not know it, and what knowing it costs.
    assert np.mean(covered_alone) < 0.93
    assert np.mean(wider) < 1.7


@pytest.mark.parametrize("count", [12, 60])
def test_the_best_of_many_does_not_beat_an_equal_baseline(count):
    rng, equal = np.random.default_rng(6), np.zeros(25)
    ones = list(range(24))
    found, one_by_one = [], []
    for seed in range(RUNS):
        means = means_of(draw(rng, count, equal), seed)
        low, high = best_minus_best(means, ones, [24])
        found.append(low > 0 or high < 0)
        best = int(np.argmax(means.values[ones]))
        low, high = (ends[0] for ends in means.differences(best, [24]).band())
        one_by_one.append(low > 0 or high < 0)
    assert np.mean(found) <= MOST
    assert np.mean(one_by_one) > 0.06


def test_a_baseline_that_is_beaten_is_called_so_and_the_difference_covered():
    rng, levels = np.random.default_rng(7), np.concatenate([np.linspace(-1, 0.6, 24), [0, 0.1, -1]])
    found = []
    for seed in range(RUNS):
        means = means_of(draw(rng, 80, levels), seed)
        found.append(best_minus_best(means, range(24), range(24, 27)))
    low, high = np.transpose(found)
    assert ((low <= 0.5) & (high >= 0.5)).mean() >= 0.93
    assert (low > 0).mean() > 0.7


def test_one_against_one_has_the_interval_of_their_difference():
    rng = np.random.default_rng(11)
    scores, groups = rng.normal([0.3, 0], 1, (400, 2)), np.arange(400)
    apart = scores[:, 0] - scores[:, 1]
    reach = scipy.stats.norm.ppf(0.975) * apart.std(ddof=1) / 20
    widths = [
        np.ptp(best_minus_best(means_of((scores, groups), seed), [0], [1])) for seed in range(20)
    ]
    assert np.mean(widths) == pytest.approx(2 * reach, rel=0.05)


@pytest.mark.parametrize(("count", "change"), [(12, 3.0), (60, 0.8)])
def test_drawn_boxes_change_nothing_where_they_change_nothing(count, change):
    rng, levels = np.random.default_rng(8), np.zeros(48)
    levels[3] = change
    pairs = [(method, method + 24) for method in range(24)]
    false, right, one_by_one = [], [], []
    for seed in range(RUNS):
        means = means_of(draw(rng, count, levels), seed)
        changed = p_different(means, pairs) <= 0.05
        right.append(changed[3])
        false.append(np.delete(changed, 3).any())
        alone = np.array([means.differences(a, [b]).band() for a, b in pairs])[:, :, 0]
        one_by_one.append(np.delete((alone[:, 0] > 0) | (alone[:, 1] < 0), 3).any())
    assert np.mean(false) <= MOST
    assert np.mean(right) > 0.5
    assert np.mean(one_by_one) > 0.3


def test_bands_of_differences_hold_at_once():
    rng, levels = np.random.default_rng(10), np.linspace(-1, 1, 24)
    held = []
    for seed in range(RUNS):
        means = means_of(draw(rng, 60, levels), seed)
        low, high = joined([means.differences(i, [i + 12]) for i in range(12)]).band()
        held.append(((low <= -24 / 23) & (high >= -24 / 23)).all())
    assert np.mean(held) >= scipy.stats.binom.ppf(0.01, RUNS, 0.95) / RUNS


def test_all_that_a_ranking_says_of_equal_embeddings_holds():
    """Two models and a baseline, in two variants: no lead, no winner, no effect of the boxes."""
    rng = np.random.default_rng(9)
    keys = [
        Key(encoder, variant, str(method))
        for encoder in ("a", "b", "dct")
        for variant in ("boxes", "plain")
        for method in range(4)
    ]
    said = []
    for seed in range(60):
        scores, groups = draw(rng, 30, np.zeros(len(keys)))
        options = StatisticsOptions(resamples=DRAWS, seed=seed)
        methods = RankedMethods("f", keys, scores, [{}] * len(keys), groups, options)
        found = methods.describe(["dct"])
        intervals = [[one["interval"] for one in found[part]] for part in ("variants", "baselines")]
        said.append(
            [
                *(any(low > 0 or high < 0 for low, high in ends) for ends in intervals),
                *(any(not row["may_be_best"] for row in s["ranking"]) for s in found["scopes"]),
            ]
        )
    assert (np.mean(said, axis=0) <= scipy.stats.binom.ppf(0.999, 60, 0.05) / 60).all()
