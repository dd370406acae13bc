"""What is kept of targets, its chance and how sure it is, in draws whose truth is known."""

import numpy as np
import pyarrow as pa
import pytest

from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import METRICS, LabelledEmbedding
from latentmap.metrics.simultaneous import GroupMeans
from latentmap.neighbors import distances
from latentmap.neighbors.exact import find_neighbors
from latentmap.run import load_run
from latentmap.store import results as book
from latentmap.targets import ridge
from latentmap.targets.compare import adjusted, places
from latentmap.targets.domain import TargetedEmbedding
from latentmap.targets.facts import TargetFacts
from latentmap.targets.measure import measured, some_groups

N, D = 80, 6
KINDS = ("continuous", "circular", "categorical", "binary")
DRAWS = 30


def targeted(values, groups, permutations, seed=0):
    values = values.astype(np.float32)
    names = groups.astype(str).tolist()
    graph = find_neighbors([*map(str, range(len(values)))], values, names, 30)
    statistics = StatisticsOptions(permutations=permutations, seed=seed)
    return TargetedEmbedding(values, groups, graph, statistics)


def of_kinds(told):
    """Return a target of each kind, and what is known of it, from (N, 5) numbers."""
    columns = {
        "continuous": told[:, 0],
        "circular": np.degrees(np.arctan2(told[:, 1], told[:, 2])) % 360,
        "categorical": np.array(["a", "b", "c"])[np.digitize(told[:, 3], [0, 1])],
        "binary": np.where(told[:, 4] > 0, "yes", "no"),
    }
    facts = [TargetFacts(kind, kind, kind, "", "", len(told)) for kind in KINDS]
    return pa.table({kind: column.tolist() for kind, column in columns.items()}), facts


def draws(signal, permutations):
    """Return every figure of some draws, by target and name."""
    found = {}
    for number in range(DRAWS):
        rng = np.random.default_rng(number)
        groups = np.repeat(np.arange(N), rng.integers(1, 4, N))[:N]
        values = rng.normal(size=(N, D)) + rng.normal(size=(N, D))[groups]
        table, facts = of_kinds(signal * values[:, :5] + rng.normal(size=(N, 5)))
        for _, _, one in measured(targeted(values, groups, permutations, number), table, facts):
            for figure in one.figures:
                found.setdefault((figure.target, figure.metric), []).append(figure)
    return found


def test_p_values_of_targets_without_a_signal_are_uniform():
    for name, some in draws(0, 39).items():
        p_values = np.array([one.p_value for one in some])
        # Of 30, 99.9 % of binomial draws have so few; the mean of uniform ones has this spread.
        assert (p_values <= 0.05).sum() <= 7, name
        assert abs(p_values.mean() - 0.5) < 3.3 * np.sqrt(1 / 12 / DRAWS), name
        kept = np.array([one.kept(one.value) for one in some])
        assert abs(kept.mean()) < 4 * kept.std() / np.sqrt(DRAWS), name


def test_intervals_of_targets_with_a_signal_cover_what_is_expected():
    for name, some in draws(1, 3).items():
        values = np.array([one.value for one in some])
        low, high = np.array([one.interval for one in some]).T
        assert values.mean() > np.mean([one.chance for one in some]), name
        assert np.mean((low <= values.mean()) & (values.mean() <= high)) > 0.8, name
        assert np.mean(high - low) < 2.6 * 2 * 1.96 * values.std(), name


def test_purity_is_that_of_the_label():
    rng = np.random.default_rng(0)
    groups, labels = np.arange(N) // 2, rng.choice(["a", "b", "c"], N)
    values = (rng.normal(size=(N, D)) + (labels == "a")[:, None]).astype(np.float32)
    data = targeted(values, groups, 3)
    facts = [TargetFacts("label", "label", "categorical", "", "", N)]
    ((_, _, found),) = measured(data, pa.table({"label": labels.tolist()}), facts)
    labelled = LabelledEmbedding(values, labels, labels, groups.astype(str), data.graph, 1)
    expected = METRICS.create("knn_category").measure(labelled)["knn_category_acc_grouped"]
    purity = next(one for one in found.figures if one.metric == "knn_same")
    assert purity.value == pytest.approx(expected.value)


def test_a_target_of_some_samples_is_measured_as_if_there_were_no_others():
    rng = np.random.default_rng(0)
    groups = np.arange(N) // 2
    values = rng.normal(size=(N, D))
    table, facts = of_kinds(values[:, :5] + rng.normal(size=(N, 5)))
    some = np.flatnonzero(rng.random(N) < 0.6)
    alone = pa.table({name: [table[name][row.item()].as_py() for row in some] for name in KINDS})
    within = {
        name: [one if row in some else None for row, one in enumerate(table[name].to_pylist())]
        for name in KINDS
    }
    numbered = np.unique(groups[some], return_inverse=True)[1]
    expected = [*measured(targeted(values[some], numbered, 20), alone, facts)]
    found = [*measured(targeted(values, groups, 20), pa.table(within), facts)]
    for (_, rows, one), (_, _, other) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(rows, some)
        for ours, theirs in zip(one.figures, other.figures, strict=True):
            assert ours.samples == len(some)
            assert ours.value == pytest.approx(theirs.value, abs=1e-6), ours.metric
            assert ours.p_value == pytest.approx(theirs.p_value), ours.metric
            assert ours.interval == pytest.approx(theirs.interval, abs=1e-5), ours.metric


def test_all_samples_of_one_source_group_tell_nothing():
    rng = np.random.default_rng(0)
    table, facts = of_kinds(rng.normal(size=(N, 5)))
    data = targeted(rng.normal(size=(N, D)), np.zeros(N, int), 3)
    for _, _, found in measured(data, table, facts):
        assert all(np.isnan(one.value) and one.note for one in found.figures)


def test_of_many_samples_whole_source_groups_are_drawn():
    sources = np.repeat(np.arange(101), [*[3] * 100, 1000])
    for seed in range(20):
        some = some_groups(sources, 50, seed)
        assert len(some) == 48 and (np.bincount(sources[some])[:100] % 3 == 0).all()
    assert len(some_groups(sources, 2000, 0)) == len(sources)
    # Of one source group there is no other choice.
    assert len(some_groups(np.zeros(300, int), 50, 0)) == 50


def test_adjusted_p_values_err_for_the_family():
    rng = np.random.default_rng(0)
    smallest, raw = [], []
    for _ in range(300):
        values, drawn = rng.normal(size=12), rng.normal(size=(99, 12))
        smallest.append(adjusted(values, drawn).min())
        raw.append(((1 + (drawn >= values).sum(axis=0)) / 100).min())
    assert np.mean(np.array(raw) <= 0.05) > 0.3
    assert np.mean(np.array(smallest) <= 0.05) < 0.09
    # What stands out is found beside what does not.
    found = adjusted(np.array([9.0, 0.0, 8.0]), rng.normal(size=(99, 3)))
    assert found[0] == found[2] == 0.01 and found[1] > 0.1


def test_places_are_those_that_cannot_be_told_apart():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(60, 1)) + 0.3 * rng.normal(size=(60, 4)) + [0, 0, 2, -2]
    means = GroupMeans.of(scores, np.arange(60), 500, 0)
    best, worst = places(means)
    assert best.tolist() == [2, 2, 1, 4]
    assert worst.tolist() == [3, 3, 1, 4]


def test_a_run_without_targets_has_no_file_of_them():
    config = {
        "run": "r",
        "samples": {"sources": [{"kind": "scenes"}]},
        "encoders": [{"kind": "dct"}],
    }
    kinds = [one for one in vars(book).values() if isinstance(one, book.Artifact)]
    of_targets = [one for one in kinds if one.pattern.startswith("targets/")]
    assert len(of_targets) >= 7
    for targets, there in ((None, False), (["label"], True)):
        results = load_run({**config, "targets": targets}).results
        for artifact in of_targets:
            if artifact is not book.PAIRS:
                assert bool(results.keys(artifact)) is there, artifact.pattern


def test_blocks_of_rows_change_nothing(monkeypatch):
    """Of regression, and of the neighbors of drawn samples, which are those of a search of all."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(N), rng.integers(1, 4, N))[:N]
    values = rng.normal(size=(N, D))
    table, facts = of_kinds(values[:, :5] + rng.normal(size=(N, 5)))

    def found():
        data = targeted(values, groups, 20)
        return [one for _, _, of in measured(data, table, facts) for one in of.figures]

    whole = found()
    monkeypatch.setattr(ridge, "BLOCK", 7)
    monkeypatch.setattr(distances, "BLOCK", 7 * N)
    for one, other in zip(whole, found(), strict=True):
        assert other.value == pytest.approx(one.value, abs=1e-9)
        np.testing.assert_allclose(other.draws, one.draws, atol=1e-5)
    rows = np.flatnonzero(rng.random(N) < 0.5)
    domain = targeted(values, groups, 20).over(rows)
    searched = find_neighbors(
        [*map(str, rows)],
        values[rows].astype(np.float32),
        groups[rows].astype(str).tolist(),
        domain.neighbor_list.k,
    )
    np.testing.assert_array_equal(domain._searched(10).indices, searched.grouped.indices)
