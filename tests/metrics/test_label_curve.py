"""Curves over k against independent counts and closed forms, and when the best depends on k."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.neighbors import NearestNeighbors

from latentmap.metrics.agreement import agreements
from latentmap.metrics.best_by_k import apart, best_by_k
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.label_curve import label_curve
from latentmap.metrics.metric import HEADLINE, Key, at_k
from latentmap.metrics.ranking import rank_methods
from latentmap.report.standings import read_standings
from latentmap.store.files import write_json
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import numbers, strings, write_arrow, write_parquet

FEW = StatisticsOptions(permutations=100, resamples=400)


def curve(data, k=10):
    return label_curve(data, data.graph.grouped, data.sources, k)


def test_values_are_those_of_scikit_learns_neighbors(embed, clusters):
    values, labels = clusters
    found = curve(embed(values, labels, k=30, statistics=FEW), k=12)
    assert list(found) == [1, 2, 3, 5, 7, 10, 12, 20, 30]
    near = NearestNeighbors(n_neighbors=30).fit(values).kneighbors(return_distance=False)
    same = labels[near] == labels[:, np.newaxis]
    for k, point in found.items():
        assert point.value == pytest.approx(same[:, :k].mean())
        low, high = point.contributions.interval((0, 1))
        assert low < point.value < high


def test_chance_of_samples_on_their_own_is_the_closed_form(embed, clusters):
    values, labels = clusters
    sizes = np.unique(labels, return_counts=True)[1]
    expected = (sizes * (sizes - 1)).sum() / (80 * 79)
    found = curve(embed(values, labels, k=40, statistics=FEW))
    np.testing.assert_allclose([point.chance for point in found.values()], expected, atol=0.015)
    widths = [np.diff(point.chance_range)[0] for point in found.values()]
    assert widths[0] > 2 * widths[-1]


def test_chance_is_that_of_the_metric_where_labels_go_by_the_size_of_groups(embed):
    rng = np.random.default_rng(0)
    large = rng.permutation(np.arange(24) % 2)
    groups = np.repeat(np.arange(24), np.where(large, 7, 2))
    values = rng.normal(size=(24, 4))[groups] + 0.3 * rng.normal(size=(len(groups), 4))
    data = embed(values, large[groups], source_groups=groups, statistics=FEW)
    more = replace(data, statistics=StatisticsOptions(permutations=1000))
    (_, _, every), (_, _, grouped) = agreements(more, more.codes, 10)
    for neighbors, apart_, level in (
        (data.graph.every, np.arange(len(groups)), every),
        (data.graph.grouped, groups, grouped),
    ):
        found = label_curve(data, neighbors, apart_, 10)[10]
        assert found.chance == pytest.approx(level.overall.mean, abs=0.015)


def test_a_curve_ends_where_a_sample_has_no_more_neighbors(embed):
    groups = np.repeat(["large", "b", "c"], [20, 3, 2])
    values = np.random.default_rng(0).normal(size=(25, 3))
    data = embed(values, np.arange(25) % 3, source_groups=groups, statistics=FEW)
    assert list(curve(data, k=4)) == [1, 2, 3, 4, 5]


def scores(rng, means, shared=0.2, single=0.02, groups=60):
    """Scores of (k, methods) means, with what each source group adds to all k of a method."""
    own = shared * rng.normal(size=(groups, np.shape(means)[1]))
    return {
        k: row + own + single * rng.normal(size=own.shape)
        for k, row in zip((1, 10, 50), np.array(means, float), strict=True)
    }


def test_methods_that_change_places_are_told_and_equal_ones_are_not():
    groups = np.arange(60)
    equal, apart_by_k, same_order, crossing = [], [], [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        for found, means, noise in (
            (equal, np.full((3, 8), 0.5), (0.2, 0.02)),
            (apart_by_k, np.full((3, 3), 0.5), (0, 0.2)),
            (same_order, [[0.7, 0.5, 0.4], [0.6, 0.5, 0.4], [0.5, 0.45, 0.4]], (0.2, 0.02)),
            (crossing, [[0.7, 0.5, 0.4], [0.6, 0.6, 0.4], [0.4, 0.6, 0.4]], (0.2, 0.02)),
        ):
            drawn = scores(rng, means, *noise)
            found.append(
                apart(best_by_k(drawn, groups, StatisticsOptions(resamples=400, seed=seed)))
            )
    assert sum(pair is not None for pair in equal) <= 5
    assert sum(pair is not None for pair in apart_by_k) <= 5
    assert sum(pair is not None for pair in same_order) <= 5
    assert sum(pair is not None for pair in crossing) >= 90
    told = {(one.k, one.best, other.k, other.best) for one, other in filter(None, crossing)}
    assert told == {(1, 0, 50, 1)}


def test_the_ranking_says_which_method_is_best_for_how_many_neighbors(tmp_path):
    ids = [f"s{row}" for row in range(60)]
    empty = {field.name: pa.nulls(60, field.type) for field in SCHEMA}
    write_arrow(tmp_path / "s.arrow", pa.table({**empty, "id": ids, "source_group": ids}))
    drawn = scores(np.random.default_rng(0), [[0.7, 0.5], [0.6, 0.6], [0.4, 0.6]])
    keys = [Key("vae", "plain", "mean"), Key("vae", "plain", "max")]
    for place, key in enumerate(keys):
        columns = {at_k(HEADLINE, k): numbers(found[:, place]) for k, found in drawn.items()}
        columns[HEADLINE] = columns[at_k(HEADLINE, 10)]
        write_parquet(tmp_path / f"{key.method}.parquet", pa.table({"id": strings(ids), **columns}))
    write_json(tmp_path / "m.json", {"metrics": {}})
    paths = [tmp_path / f"{key.method}.parquet" for key in keys]
    given = keys, [tmp_path / "m.json"] * 2, paths, [tmp_path / "s.arrow"]
    rank_methods(*given, HEADLINE, (), FEW, tmp_path / "r.json")
    (found,) = json.loads((tmp_path / "r.json").read_text())["by_k"]
    assert (found["encoder"], found["variant"], found["apart"]) == ("vae", "plain", [1, 50])
    assert [(at["k"], at["method"]) for at in found["best"]][::2] == [(1, "mean"), (50, "max")]
    said = [finding.text for finding in read_standings(tmp_path / "r.json").findings()]
    assert any(
        text.startswith("Which method of vae (plain) is best depends on k: mean with k = 1, max")
        for text in said
    )
