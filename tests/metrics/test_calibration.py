"""P-values are uniform, and intervals cover, where what they rest on is drawn anew many times."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from latentmap.metrics.agreement import agreements
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import METRICS

RUNS = 200
LABELS = np.array(["a", "b", "c"])
# What more of 200 tests at the 5 % level than one in a hundred such tests would call significant.
MOST = scipy.stats.binom.ppf(0.99, RUNS, 0.05) / RUNS


def runs(rng, groups, own, any_, share):
    """Labels inside source groups: those of the group, but for a share of the samples."""
    return np.where(rng.random(len(groups)) < share, any_, own[groups])


def every_sample_alone(rng):
    return rng.choice(3, 60, p=[0.6, 0.3, 0.1]), np.arange(60)


def one_label_per_group(rng):
    groups = np.repeat(np.arange(20), rng.integers(1, 7, 20))
    return rng.choice(3, 20)[groups], groups


def labels_run_in_groups(rng):
    """Half of the samples of a source group have its own label."""
    groups = np.repeat(np.arange(24), rng.integers(4, 7, 24))
    return runs(rng, groups, rng.choice(3, 24), rng.choice(3, len(groups)), 0.5), groups


def complete_blocks(rng):
    """Every source group has each of five labels once."""
    return np.tile(np.arange(5), 20), np.repeat(np.arange(20), 5)


def few_large_groups(rng):
    groups = np.repeat(np.arange(6), [10, 12, 14, 16, 18, 22])
    return runs(rng, groups, rng.choice(3, 6), rng.choice(3, len(groups)), 0.4), groups


def labels_by_size(rng):
    """The samples of large source groups have one label, those of small ones the other."""
    large = rng.permutation(np.arange(24) % 2)
    groups = np.repeat(np.arange(24), np.where(large, 7, 2))
    return large[groups], groups


def labels_nearly_by_size(rng):
    large = rng.permutation(np.arange(24) % 2)
    groups = np.repeat(np.arange(24), np.where(large, 5, 3))
    return runs(rng, groups, large, rng.choice(2, len(groups)), 0.15), groups


def many_labels(rng):
    groups = np.repeat(np.arange(40), rng.integers(2, 4, 40))
    return runs(rng, groups, rng.choice(24, 40), rng.choice(24, len(groups)), 0.3), groups


def one_frequent_label(rng):
    groups = np.repeat(np.arange(30), rng.integers(1, 5, 30))
    own, any_ = (rng.choice(3, size, p=[0.6, 0.3, 0.1]) for size in (30, len(groups)))
    return runs(rng, groups, own, any_, 0.3), groups


def one_relabelled_sample(rng):
    """All source groups are pure but one, and no two have the same size."""
    groups = np.repeat(np.arange(16), np.arange(1, 17))
    labels = rng.choice(3, 16)[groups]
    labels[-1] = (labels[-1] + 1) % 3
    return labels, groups


STRUCTURES = (
    every_sample_alone,
    one_label_per_group,
    labels_run_in_groups,
    complete_blocks,
    few_large_groups,
    labels_by_size,
    labels_nearly_by_size,
    many_labels,
    one_frequent_label,
    one_relabelled_sample,
)


def draws(embed, draw, signal=0.0, scheme="auto", count=RUNS):
    """Return agreement and chance levels on both neighbor lists in many draws.

    Samples of a source group are close to each other, and with a signal those of a label.
    """
    rng = np.random.default_rng(0)
    for seed in range(count):
        labels, groups = draw(rng)
        places = 2 * rng.normal(size=(groups.max() + 1, 3))[groups]
        places += rng.normal(size=(len(groups), 3)) + signal * rng.normal(size=(24, 3))[labels]
        options = StatisticsOptions(permutations=99, scheme=scheme, seed=seed)
        data = embed(places, labels, source_groups=groups, k=5, statistics=options)
        yield [
            (agreed, chance) for _, agreed, chance in agreements(data, data.codes, 5, precise=True)
        ]


def p_values(embed, draw, **options):
    """Return p-values of the means over samples and over labels, (draws, lists, 2)."""
    found = draws(embed, draw, **options)
    return np.array(
        [[[chance.overall.p_value, chance.macro.p_value] for _, chance in both] for both in found]
    )


@pytest.mark.parametrize("draw", STRUCTURES, ids=lambda draw: draw.__name__)
def test_permutation_tests_keep_their_size_and_chance_is_what_to_expect(embed, draw):
    found = list(draws(embed, draw))
    tested = [[(c.overall.p_value, c.macro.p_value) for _, c in both] for both in found]
    assert ((np.array(tested) <= 0.05).mean(axis=0) <= MOST).all()
    inside = [
        [
            chance.overall.range[0] <= agreed.shares.mean() <= chance.overall.range[1]
            for agreed, chance in both
        ]
        for both in found
    ]
    assert (np.mean(inside, axis=0) > 0.9).all()
    for both in zip(*found, strict=True):
        above = np.array([one.shares.mean() - chance.overall.mean for one, chance in both])
        assert abs(above.mean()) < 3.5 * above.std() / np.sqrt(RUNS) < 0.03
        # Likewise for the samples of the first label. Where it has all small groups and no other,
        # its share differs from that of the labels that these exchange.
        if draw is labels_by_size:
            continue
        of_label = [one.by_class(one.shares) - chance.by_class.mean(axis=0) for one, chance in both]
        first = np.array([rates[0] for rates in of_label])
        assert abs(first.mean()) < 3.5 * first.std() / np.sqrt(RUNS) < 0.06


@pytest.mark.parametrize("draw", STRUCTURES, ids=lambda draw: draw.__name__)
def test_permutation_tests_find_what_is_there(embed, draw):
    found = p_values(embed, draw, signal=3.0, count=40)
    assert ((found <= 0.05).mean(axis=0) >= 0.7).all()


@pytest.mark.parametrize("draw", [every_sample_alone, one_label_per_group, complete_blocks])
def test_p_values_are_uniform_where_labels_tell_nothing(embed, draw):
    steps = np.arange(1, 101) / 100
    for found in p_values(embed, draw).reshape(RUNS, -1).T:
        below = (found[:, np.newaxis] <= steps + 1e-9).mean(axis=0)
        # The distance that 1 % exceed of the greatest of twelve uniform samples (Kolmogorov).
        assert abs(below - steps).max() < scipy.stats.kstwobign.isf(0.01 / 12) / np.sqrt(RUNS)


def test_one_relabelled_sample_does_not_take_the_evidence(embed):
    def pure(rng):
        labels, groups = one_relabelled_sample(rng)
        return labels[np.unique(groups, return_index=True)[1]][groups], groups

    both = [p_values(embed, one, signal=3.0, count=40) for one in (pure, one_relabelled_sample)]
    powers = [(found[:, 1, 0] <= 0.05).mean() for found in both]
    assert abs(powers[0] - powers[1]) < 0.15


def test_the_order_of_rows_does_not_matter(embed):
    """Blocks with the same labels in the same order, and in any order."""
    rng = np.random.default_rng(0)
    labels, groups = complete_blocks(rng)
    places = (
        rng.normal(size=(20, 3))[groups] + rng.normal(size=(100, 3)) + labels[:, np.newaxis] / 12
    )
    order = rng.permutation(100)
    options = StatisticsOptions(permutations=2000)
    found = []
    for rows in (np.arange(100), order):
        data = embed(places[rows], labels[rows], None, groups[rows], 5, options)
        *_, (_, _, chance) = agreements(data, data.codes, 5)
        found.append(chance.overall.p_value)
    assert 0.005 < found[0] < 0.5
    assert found[0] == pytest.approx(found[1], abs=4 * np.sqrt(2 * found[0] / 2000))


@pytest.mark.parametrize("draw", [one_label_per_group, labels_run_in_groups])
def test_permuting_all_labels_would_find_what_is_not_there(embed, draw):
    assert (p_values(embed, draw, scheme="free")[:, 0, 0] <= 0.05).mean() > 0.2


def a_dozen_large_groups(rng):
    groups = np.repeat(np.arange(12), rng.integers(8, 20, 12))
    return runs(rng, groups, rng.choice(3, 12), rng.choice(3, len(groups)), 0.4), groups


# Of six source groups no interval is given.
WITH_INTERVALS = (*(one for one in STRUCTURES if one is not few_large_groups), a_dozen_large_groups)


def intervals(embed, draw, signal, count):
    """Return the value and the ends of the interval of every share, (draws, 3), by name.

    Source groups are drawn anew, with their places and their labels, but not what labels do to
    places: in the intervals is what such samples have on average.
    """
    rng, centres = np.random.default_rng(7), np.random.default_rng(3).normal(size=(24, 3))
    metric, found = METRICS.create("knn_category", {"k": 5}), []
    for _ in range(count):
        labels, groups = draw(rng)
        places = 2 * rng.normal(size=(groups.max() + 1, 3))[groups]
        places += rng.normal(size=(len(groups), 3)) + signal * centres[labels]
        options = StatisticsOptions(permutations=1)
        data = embed(places, labels, source_groups=groups, k=5, statistics=options)
        found.append(metric.measure(data))
    return {
        name: np.array(
            [(m[name].value, *m[name].contributions.interval(column.bounds)) for m in found]
        )
        for name, column in metric.columns.items()
        if column.ranks
    }


def coverage(found):
    """Return how often intervals cover the mean value, and their width beside the ideal one."""
    values, low, high = found.T
    covered = (low <= values.mean()) & (values.mean() <= high)
    return covered.mean(), (high - low).mean() / (2 * 1.96 * values.std())


@pytest.mark.parametrize("draw", WITH_INTERVALS, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("signal", [0.0, 3.0])
def test_intervals_of_shares_cover_what_to_expect_and_stay_between_0_and_1(embed, draw, signal):
    for found in intervals(embed, draw, signal, 100).values():
        covered, width = coverage(found)
        assert covered >= scipy.stats.binom.ppf(0.01, 100, 0.93) / 100
        assert (found[:, 1] >= 0).all() and (found[:, 2] <= 1).all()
        # Not by promising little.
        assert width < (2.7 if draw in (labels_by_size, labels_nearly_by_size) else 2)


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


def test_the_interval_of_a_probe_is_no_wider_for_many_dimensions(embed):
    """Where a part less to train on turns many answers, as many to right as to wrong."""
    rng, probe, found = np.random.default_rng(2), METRICS.create("probe_linear"), []
    centres = 0.25 * rng.normal(size=(3, 100))
    for _ in range(40):
        codes = rng.integers(3, size=120)
        values = rng.normal(size=(120, 100)) + centres[codes]
        data = embed(values, LABELS[codes], statistics=StatisticsOptions(permutations=1))
        found.append(probe.measure(data)["probe_linear_acc"])
    values = np.array([one.value for one in found])
    low, high = np.transpose([one.interval for one in found])
    covered = ((low <= values.mean()) & (values.mean() <= high)).mean()
    assert covered >= scipy.stats.binom.ppf(0.01, 40, 0.95) / 40
    assert (high - low).mean() < 1.9 * 2 * 1.96 * values.std()


@pytest.mark.parametrize("count", [12, 40])
@pytest.mark.parametrize("signal", [0.0, 1.0])
def test_intervals_of_probes_cover_and_their_p_values_keep_their_size(embed, count, signal):
    """Source groups are drawn anew: in the intervals is the accuracy of such samples."""
    rng = np.random.default_rng(1)
    probes = [METRICS.create("probe_knn", {"k": 7}), METRICS.create("probe_linear")]
    found = []
    for seed in range(60):
        groups = np.repeat(np.arange(count), rng.integers(1, 9 if count == 12 else 5, count))
        any_ = rng.choice(3, len(groups), p=[0.6, 0.3, 0.1])
        codes = runs(rng, groups, rng.choice(3, count), any_, 0.7)
        places = rng.normal(size=(count, 4))[groups] + rng.normal(size=(len(groups), 4))
        options = StatisticsOptions(permutations=19, seed=seed)
        data = embed(
            places + signal * np.eye(3, 4)[codes], LABELS[codes], None, groups, 10, options
        )
        measured = [probe.measure(data) for probe in probes]
        found.append(measured[0] | measured[1])
    for name in ("probe_knn", "probe_linear"):
        accuracies = [one[f"{name}_acc"] for one in found]
        values = np.array([one.value for one in accuracies])
        low, high = np.transpose([one.interval for one in accuracies])
        covered = ((low <= values.mean()) & (values.mean() <= high)).mean()
        assert covered >= scipy.stats.binom.ppf(0.01, 60, 0.95) / 60
        # Not by promising little.
        assert (high - low).mean() < 1.7 * 2 * 1.96 * values.std()
        for metric in ("acc", "balanced_acc", "macro_f1"):
            tested = np.array([one[f"{name}_{metric}"].p_value or 1 for one in found])
            if signal == 0:
                assert (tested <= 0.05).mean() <= scipy.stats.binom.ppf(0.99, 60, 0.05) / 60
        if signal and count == 40:
            assert np.mean([(one.p_value or 1) <= 0.05 for one in accuracies]) > 0.3
