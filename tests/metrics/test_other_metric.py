"""The gain by the other metric, against whole graphs of it and over draws without any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from sklearn.neighbors import NearestNeighbors

from latentmap.metrics.metrics.other_metric import OtherMetric, other_rows
from latentmap.neighbors.rows import compared, row_lengths
from latentmap.report.neighbor_findings import CLEAR_GAIN

LABELS = np.repeat(np.arange(6), 30)


def directions(rng, dims, spread):
    """Six labels apart in their directions, however many dimensions there are."""
    own = rng.normal(size=(6, dims)) * np.sqrt(24 / dims)
    return own[LABELS] + spread * rng.normal(size=(180, dims))


def gain(data, **options):
    return OtherMetric(OtherMetric.Options(**options)).measure(data)["other_metric_gain"]


def share(values, metric):
    near = NearestNeighbors(n_neighbors=10, metric=metric).fit(values).kneighbors()[1]
    return (LABELS[near] == LABELS[:, np.newaxis]).mean()


@pytest.fixture(params=[24, 400], ids=["long", "wide"])
def lengthy(request, embed):
    """Rows whose lengths mean nothing, and how a run by each metric has them."""
    rng = np.random.default_rng(1)
    lengths = rng.lognormal(sigma=1, size=(180, 1))
    values = (directions(rng, request.param, 1.6) * lengths + 0.1).astype(np.float32)
    units = embed(compared(values, "cosine"), LABELS)
    return values, embed(values, LABELS), replace(units, lengths=row_lengths(values))


def test_gains_are_those_of_scikit_learns_neighbors(lengthy):
    values, euclidean, cosine = lengthy
    expected = share(values, "cosine") - share(values, "euclidean")
    assert expected > 0.05
    for data, sign in ((euclidean, 1), (cosine, -1)):
        found = gain(data)
        assert found.value == pytest.approx(sign * expected, abs=1e-3)
        low, high = found.interval
        assert (low > CLEAR_GAIN) if sign > 0 else (high < 0)


def test_the_other_rows_have_the_products_of_the_other_metric(lengthy):
    values, euclidean, cosine = lengthy
    units = compared(values, "cosine").astype(np.float64)
    for data, expected in ((euclidean, units), (cosine, values.astype(np.float64))):
        found, products = other_rows(data).astype(np.float64), expected @ expected.T
        np.testing.assert_allclose(found @ found.T, products, atol=1e-5 * abs(products).max())


@pytest.mark.parametrize("size", [1, 3])
def test_where_neither_metric_finds_more_intervals_cover_it_and_nothing_is_clear(embed, size):
    """Lengths that hardly differ, which by symmetry help neither metric."""
    values, intervals = [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        groups = np.arange(180) // size
        rows = directions(rng, 10, 2)
        rows *= (1 + 0.3 * rng.random((180, 1))) / np.linalg.norm(rows, axis=1, keepdims=True)
        found = gain(embed(rows, rng.permutation(LABELS), source_groups=groups))
        values.append(found.value)
        intervals.append(found.interval)
    low, high = np.transpose(intervals)
    assert abs(np.mean(values)) < 0.01
    assert ((low <= 0) & (high >= 0)).mean() > 0.9
    assert (low > CLEAR_GAIN).sum() == 0
    assert (high - low).mean() < 1.7 * 2 * 1.96 * np.std(values)


def test_intervals_are_those_of_leaving_out_each_source_group(embed):
    """Groups that many have as neighbors matter by what others find in them, too."""
    rng = np.random.default_rng(0)
    groups = np.arange(180) // 6
    rows = rng.normal(size=(30, 8))[groups] + 0.7 * rng.normal(size=(180, 8))
    rows *= rng.lognormal(sigma=0.8, size=30)[groups, np.newaxis]
    labels = rng.integers(3, size=30)[groups]
    without = [
        gain(embed(rows[kept], labels[kept], source_groups=groups[kept])).value
        for kept in groups != np.arange(30)[:, np.newaxis]
    ]
    error = np.sqrt(29 / 30 * np.square(without - np.mean(without)).sum())
    found = gain(embed(rows, labels, source_groups=groups))
    expected = 2 * scipy.stats.t.ppf(0.975, 29) * error
    assert np.ptp(found.interval) == pytest.approx(expected, rel=0.15)


def test_some_samples_stand_for_many(lengthy):
    _, euclidean, _ = lengthy
    every, some = gain(euclidean), gain(euclidean, queries=60)
    assert some.note == "Of 60 samples drawn at random."
    assert some.value == pytest.approx(every.value, abs=0.05)
    assert np.ptp(some.interval) > np.ptp(every.interval)


def test_few_source_groups_have_no_interval_and_few_samples_no_gain(embed):
    values = directions(np.random.default_rng(0), 10, 1)
    found = gain(embed(values, LABELS, source_groups=np.arange(180) % 5))
    assert found.interval is None and found.note == "No interval: 5 source groups are too few."
    assert np.isnan(gain(embed(values[25:35], LABELS[25:35])).value)
