"""R-precision and MAP@R against loops, published values, planted truth and simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metrics.knn_category import KnnCategory
from latentmap.metrics.metrics.r_precision import RPrecision
from latentmap.metrics.retrieval import relevant_elsewhere, retrieve
from latentmap.metrics.retrieval_chance import PermutedLabels, in_random_order

NAMES = ("r_precision", "map_at_r", "r_precision_grouped", "map_at_r_grouped")
PERMUTED = StatisticsOptions(permutations=40)


def measure(data, **options):
    return RPrecision(RPrecision.Options(**options)).measure(data)


def by_loops(values, labels, groups, kept=None):
    """Both precisions of every query by plain loops, (n, 2); NaN where it has nothing to find."""
    kept = range(len(values)) if kept is None else kept
    found = []
    for query in kept:
        others = [row for row in kept if row != query and groups[row] != groups[query]]
        away = {
            row: np.float32(np.linalg.norm(values[query].astype(float) - values[row].astype(float)))
            for row in others
        }
        same = [labels[row] == labels[query] for row in sorted(others, key=lambda r: (away[r], r))]
        relevant, hits, precisions = sum(same), 0, 0.0
        for rank, is_same in enumerate(same[:relevant], 1):
            hits += is_same
            precisions += is_same * hits / rank
        found.append((hits / relevant, precisions / relevant) if relevant else (np.nan, np.nan))
    return np.array(found)


@pytest.fixture
def planted(embed):
    """Labels of uneven sizes, one of them alone, and rows that coincide."""

    def draw(size):
        rng = np.random.default_rng(size)
        labels = rng.choice(list("aabbcd"), 60).astype("<U8")
        labels[0], labels[1:3] = "alone", "pair"
        values = rng.normal(size=(60, 4)) + (labels == "a")[:, np.newaxis]
        values[[5, 12]] = values[9]
        return embed(values, labels, source_groups=np.arange(60) // size, statistics=PERMUTED)

    return draw


@pytest.mark.parametrize("size", [1, 2, 5])
def test_values_are_those_of_loops(planted, size):
    data = planted(size)
    found = measure(data)
    for suffix, groups in (("", np.arange(60)), ("_grouped", data.sources)):
        expected = np.nanmean(by_loops(data.values, data.labels, groups), axis=0)
        values = [found[f"{name}{suffix}"].value for name in ("r_precision", "map_at_r")]
        assert values == pytest.approx(expected)
        assert found[f"r_precision{suffix}"].note.startswith("Of 5")


@pytest.mark.parametrize(
    ("hits", "r_precision", "map_at_r"),
    [([1], 0.1, 0.1), ([1, 10], 0.2, 0.12), ([1, 2], 0.2, 0.2), (range(1, 11), 1, 1)],
)
def test_published_examples(embed, hits, r_precision, map_at_r):
    """Musgrave et al. 2020: ten samples are relevant, and these of the first ten ranks hold one."""
    relevant = [*hits, *range(11, 21 - len(hits))]
    data = embed(np.arange(21)[:, np.newaxis], np.isin(np.arange(21), [0, *relevant]))
    (found,) = retrieve(data, np.array([0]), grouped=False)
    assert found.relevant[0] == 10
    assert found.precisions[:, 0] == pytest.approx([r_precision, map_at_r])


def test_labels_of_few_samples_that_are_told_apart_reach_one(embed):
    """Where ten neighbors are looked at, labels of three samples can reach two tenths."""
    sizes = np.array([3, 3, 3, 4, 5, 8, 12, 20, 40])
    labels = np.repeat(np.arange(len(sizes)), sizes)
    values = 100 * np.eye(len(sizes))[labels] + np.random.default_rng(0).normal(size=(98, 9))
    data = embed(values, labels)
    assert KnnCategory(KnnCategory.Options()).measure(data)["knn_category_acc"].value < 0.85
    assert [measure(data)[name].value for name in NAMES] == pytest.approx([1] * 4)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("asked", [60, 25])
def test_without_a_source_group_is_what_the_others_alone_give(planted, size, asked):
    data = planted(size)
    is_query = np.random.default_rng(1).permutation(np.arange(60) < asked)
    queries = np.flatnonzero(is_query)
    for found, groups in zip(
        retrieve(data, queries, grouped=True), (np.arange(60), data.sources), strict=True
    ):
        expected = [
            np.nanmean(
                by_loops(data.values, data.labels, groups, np.flatnonzero(kept))[is_query[kept]],
                axis=0,
            )
            for kept in data.sources != np.unique(data.sources)[:, np.newaxis]
        ]
        without = found.without_groups(data.sources)
        if size == 1:
            np.testing.assert_allclose(without, np.transpose(expected))
        else:
            for one, other in zip(without, np.transpose(expected), strict=True):
                assert np.corrcoef(one, other)[0, 1] > 0.9
                assert one.std() == pytest.approx(other.std(), rel=0.15 if asked == 60 else 0.2)


@pytest.mark.parametrize("labels", [3, 80])
def test_relevant_samples_are_those_of_other_groups(labels):
    rng = np.random.default_rng(labels)
    codes, groups = rng.integers(labels, size=100), rng.permutation(100) // 2 * 2
    expected = [
        sum(codes[other] == codes[row] and groups[other] != groups[row] for other in range(100))
        for row in range(100)
    ]
    assert relevant_elsewhere(codes, groups).tolist() == expected


def test_rankings_in_random_order(embed):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [3, 7, 20])
    groups = rng.permutation(np.arange(30) // 2)
    draws = [by_loops(rng.normal(size=(30, 1)), labels, groups) for _ in range(300)]
    data = embed(np.zeros((30, 1)), labels, source_groups=groups)
    found = retrieve(data, np.arange(30), grouped=True)[1]
    means = np.nanmean(draws, axis=1)
    error = 4 * means.std(axis=0) / np.sqrt(len(draws))
    assert np.all(abs(in_random_order(found.relevant, found.ranked) - means.mean(axis=0)) < error)


def draw(rng, effect, *, sized):
    """Source groups of one label each; whether the label follows from their size."""
    large = rng.permutation(np.arange(24) % 2)
    groups = np.repeat(np.arange(24), np.where(large, 5, 2) if sized else 3)
    labels = large[groups]
    values = rng.normal(size=(24, 4))[groups] + 0.5 * rng.normal(size=(len(groups), 4))
    return values + effect * labels[:, np.newaxis], labels, groups


@pytest.mark.parametrize("sized", [False, True])
def test_meaningless_labels_are_seldom_significant_and_real_ones_often(embed, sized):
    p_values = {0.0: [], 1.0: []}
    for seed in range(60):
        for effect, found in p_values.items():
            values, labels, groups = draw(np.random.default_rng(seed), effect, sized=sized)
            data = embed(values, labels, source_groups=groups, statistics=PERMUTED)
            measured = measure(data)
            found.append([measured[name].p_value for name in NAMES])
            assert all(measured[name].chance < 0.8 for name in NAMES)
    shares = {effect: (np.array(found) <= 0.05).mean(axis=0) for effect, found in p_values.items()}
    assert shares[0.0].max() <= scipy.stats.binom.ppf(0.995, 60, 0.05) / 60
    assert shares[1.0].min() > 0.6


def test_chance_of_neighbors_from_the_own_source_group_is_that_of_permutations(embed):
    """Near samples of the own group have its label, whatever labels mean; in a random order not."""
    found = []
    for seed in range(20):
        values, labels, groups = draw(np.random.default_rng(seed), 0, sized=False)
        data = embed(values, labels, source_groups=groups, statistics=PERMUTED)
        measured = measure(data)["map_at_r"]
        every = retrieve(data, np.arange(72), grouped=False)[0]
        found.append(
            (measured.value, measured.chance, in_random_order(every.relevant, every.ranked)[1])
        )
    value, chance, random = np.mean(found, axis=0)
    assert value == pytest.approx(chance, abs=0.02)
    assert value > random + 0.03


@pytest.mark.parametrize(("size", "asked"), [(1, 96), (4, 96), (4, 48)])
def test_intervals_cover_the_expected_value(embed, size, asked):
    """That of samples of this size; no interval is much wider than the spread over draws asks."""
    values, ends = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        groups = np.arange(96) // size
        labels = rng.integers(3, size=96 // size)[groups]
        rows = rng.normal(size=(96 // size, 3))[groups] + rng.normal(size=(96, 3))
        rows += 1.2 * np.eye(3)[labels]
        data = embed(rows, labels, source_groups=groups)
        queries = np.arange(96) if asked == 96 else np.sort(rng.permutation(96)[:asked])
        found = retrieve(data, queries, grouped=True)
        values += [one.values for one in found]
        without = np.concatenate([one.without_groups(data.sources) for one in found])
        count = without.shape[1]
        errors = np.sqrt((count - 1) ** 2 / count) * without.std(axis=1)
        ends.append(errors * scipy.stats.t.ppf(0.975, count - 1))
    values, ends = np.reshape(values, (100, 4)), np.array(ends)
    covered = (abs(values - values.mean(axis=0)) <= ends).mean(axis=0)
    assert covered.min() >= 0.9
    ideal = 1.96 * values.std(axis=0)
    assert np.all(ends.mean(axis=0) < 1.6 * ideal)


def test_of_many_samples_some_are_queries(planted):
    data = planted(2)
    found = measure(data, max_samples=50, queries=20)
    assert found["r_precision"].note.endswith("of 60 samples as queries.")
    assert found["r_precision"].contributions.without.shape == (30,)
    every, some = (
        retrieve(data, queries, grouped=True) for queries in (np.arange(60), np.arange(7, 19))
    )
    for all_, few in zip(every, some, strict=True):
        expected = np.full((2, 60), np.nan)
        expected[:, 7:19] = all_.precisions[:, 7:19]
        np.testing.assert_array_equal(few.precisions, expected)


def test_meaningless_labels_are_seldom_significant_where_few_are_queries(embed):
    p_values = []
    for seed in range(60):
        values, labels, groups = draw(np.random.default_rng(seed), 0, sized=False)
        data = embed(values, labels, source_groups=groups, statistics=PERMUTED)
        measured = measure(data, max_samples=50, queries=6)
        p_values.append([measured[name].p_value for name in NAMES])
    shares = (np.array(p_values, float) <= 0.05).mean(axis=0)
    assert shares.max() <= scipy.stats.binom.ppf(0.995, 60, 0.05) / 60


def test_too_many_samples_have_the_chance_of_a_random_order(planted, monkeypatch):
    monkeypatch.setattr("latentmap.metrics.retrieval_chance.SHARED_ROWS", 50)
    data = planted(2)
    assert PermutedLabels.of(data) is None
    found = measure(data)
    assert found["r_precision"].chance is None
    grouped = retrieve(data, np.arange(60), grouped=True)[1]
    expected = in_random_order(grouped.relevant, grouped.ranked)
    assert found["map_at_r_grouped"].chance == pytest.approx(expected[1])


def test_what_cannot_be_found_is_said(planted):
    data = planted(1)
    one_group = replace(data, source_groups=np.full(60, "all"))
    found = measure(one_group)
    assert np.isnan(found["r_precision_grouped"].value) and found["r_precision"].value > 0
    assert "one source group" in found["r_precision_grouped"].note
    by_group = replace(data, source_groups=data.labels)
    assert measure(by_group)["map_at_r_grouped"].note == "No label occurs in two source groups."
