"""P-values are uniform, and intervals cover, where what they rest on is drawn anew many times."""

from __future__ import annotations

import numpy as np
import pytest

from latentmap.metrics.agreement import agreements
from latentmap.metrics.inference import StatisticsOptions, percentiles, resampled_means
from latentmap.metrics.metric import METRICS

RUNS = 200
LABELS = np.array(["a", "b", "c"])


def every_sample_alone(rng):
    """Nothing ties samples together."""
    sources = np.arange(60)
    return rng.normal(size=(60, 3)), rng.choice(LABELS, 60, p=[0.6, 0.3, 0.1]), sources


def one_label_per_source(rng):
    """Samples of a source group are close to each other and have one label."""
    sources = np.repeat(np.arange(20), rng.integers(1, 7, 20))
    values = 3 * rng.normal(size=(20, 3))[sources] + rng.normal(size=(len(sources), 3))
    return values, rng.choice(LABELS, 20)[sources], sources


def labels_run_in_sources(rng):
    """Samples of a source group are close to each other, and half of them have its own label."""
    sources = np.repeat(np.arange(24), rng.integers(2, 5, 24))
    values = 3 * rng.normal(size=(24, 3))[sources] + rng.normal(size=(len(sources), 3))
    own, any_ = rng.choice(LABELS, 24)[sources], rng.choice(LABELS, len(sources))
    return values, np.where(rng.random(len(sources)) < 0.5, own, any_), sources


def sources_differ_in_labels(rng):
    """Four sources of unequal size, of which two resemble each other in place and in labels."""
    sources = np.repeat(np.arange(4), [10, 14, 18, 22])
    shares = np.array([[8, 1, 1], [8, 1, 1], [1, 1, 8], [1, 8, 1]]) / 10
    labels = np.array([rng.choice(LABELS, p=shares[source]) for source in sources])
    places = np.array([[0, 0], [1, 0], [9, 9], [0, 9]])
    return places[sources] + rng.normal(size=(len(sources), 2)), labels, sources


def p_values(embed, draw, scheme):
    """Return the p-values of many draws on both neighbor lists, and the scheme that was used."""
    rng = np.random.default_rng(0)
    found = []
    for seed in range(RUNS):
        values, labels, sources = draw(rng)
        options = StatisticsOptions(permutations=99, scheme=scheme, seed=seed)
        data = embed(values, labels, source_groups=sources, k=5, statistics=options)
        lists = agreements(data, data.codes, 5)
        found.append([agreed.mean(data.permutation).p_value for _, agreed in lists])
    return np.transpose(found), data.permutation.scheme


@pytest.mark.parametrize(
    ("draw", "scheme"),
    [
        (every_sample_alone, "free"),
        (one_label_per_source, "whole"),
        (labels_run_in_sources, "whole"),
        (sources_differ_in_labels, "within"),
    ],
)
def test_p_values_are_uniform_where_labels_tell_nothing(embed, draw, scheme):
    both, chosen = p_values(embed, draw, "auto")
    assert chosen == scheme
    steps = np.arange(1, 101) / 100
    for found in both:
        below = (found[:, np.newaxis] <= steps + 1e-9).mean(axis=0)
        # The distance that 1 % of uniform samples exceed (Kolmogorov).
        assert abs(below - steps).max() < 1.63 / np.sqrt(RUNS)


@pytest.mark.parametrize(
    ("draw", "where"),
    [(one_label_per_source, 0), (labels_run_in_sources, 0), (sources_differ_in_labels, 1)],
)
def test_permuting_all_labels_would_find_what_is_not_there(embed, draw, where):
    both, _ = p_values(embed, draw, "free")
    assert (both[where] <= 0.05).mean() > 0.2


@pytest.mark.parametrize("signal", [0.0, 1.0])
def test_intervals_cover_the_expected_figure(embed, signal):
    """Sources are drawn anew, with their places, their labels and what labels do to places."""
    rng = np.random.default_rng(1)
    centres = signal * np.array([[0, 0, 0], [1, 1, 0], [2, 0, 1]])
    means, intervals, of_shares = [], [], []
    for seed in range(RUNS):
        sources = np.repeat(np.arange(40), rng.integers(1, 5, 40))
        own, any_ = rng.choice(3, 40)[sources], rng.choice(3, len(sources), p=[0.6, 0.3, 0.1])
        codes = np.where(rng.random(len(sources)) < 0.3, own, any_)
        places = rng.normal(size=(40, 3))[sources] + rng.normal(size=(len(sources), 3))
        options = StatisticsOptions(resamples=200, permutations=1, seed=seed)
        data = embed(places + centres[codes], LABELS[codes], None, sources, statistics=options)
        agreed = dict(agreements(data, data.codes, 10))["_grouped"]
        scores = np.stack([agreed.contributions(), agreed.shares], axis=1)
        low, high = percentiles(resampled_means(scores, sources, options))
        assert scores.mean(axis=0) == pytest.approx(agreed.mean(data.permutation).value)
        means.append(scores[:, 0].mean())
        intervals.append((low[0], high[0]))
        of_shares.append((low[1], high[1]))
    expected = np.mean(means)
    cover, cover_of_shares = (
        np.mean([low <= expected <= high for low, high in found])
        for found in (intervals, of_shares)
    )
    assert 0.92 <= cover <= 0.985
    # What a bootstrap of the shares alone would promise.
    assert cover_of_shares < 0.8


@pytest.mark.parametrize("signal", [0.0, 1.5])
def test_the_interval_of_the_silhouette_covers_what_samples_of_this_size_have(embed, signal):
    """Source groups are drawn anew, each with three samples that are close to each other."""
    rng = np.random.default_rng(1)
    silhouette = METRICS.create("silhouette")
    sources, found = np.repeat(np.arange(40), 3), []
    for _ in range(RUNS):
        codes = rng.integers(3, size=len(sources))
        places = rng.normal(size=(40, 4))[sources] + rng.normal(size=(len(sources), 4))
        data = embed(places + signal * np.eye(3, 4)[codes], LABELS[codes], None, sources)
        found.append(silhouette.measure(data)["silhouette"])
    expected = np.mean([one.value for one in found])
    assert np.mean([one.interval[0] <= expected <= one.interval[1] for one in found]) >= 0.92
    # Not by promising little: without signal labels of this size vary by less than this.
    assert np.mean([one.interval[1] - one.interval[0] for one in found]) < 0.1
