"""How sources are compared: closed forms, planted shifts, and uniform p-values without one."""

from __future__ import annotations

import json
from itertools import pairwise
from math import comb, prod

import numpy as np
import pyarrow as pa
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

from latentmap.errors import LatentmapError
from latentmap.metrics.exchange import Exchange
from latentmap.metrics.regions import find_regions, region_of, region_shares
from latentmap.metrics.sources import RunFiles, SourcesOptions, compare_sources, drawn_rows
from latentmap.metrics.two_sample import (
    TAIL_OF,
    PairOptions,
    compare_pair,
    held_out_scores,
    leading_components,
    neighbor_order,
    neighborhood_metrics,
)
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding, write_parquet

RUNS = 100


def every_sample_alone(rng):
    """Two sources of one distribution, each sample a group of its own."""
    return rng.normal(size=(80, 3)), np.repeat([0, 1], [50, 30]), np.arange(80)


def whole_groups(rng):
    """Samples of a group resemble each other and have one source."""
    groups = np.repeat(np.arange(30), rng.integers(1, 5, 30))
    values = 3 * rng.normal(size=(30, 3))[groups] + rng.normal(size=(len(groups), 3))
    return values, np.append([0, 1], rng.integers(0, 2, 28))[groups], groups


def pairs_and_others(rng):
    """Thirty pairs of samples that resemble each other, one of each source, and twenty others."""
    groups = np.concatenate([np.repeat(np.arange(30), 2), np.arange(30, 50)])
    values = 3 * rng.normal(size=(50, 3))[groups] + rng.normal(size=(80, 3))
    return values, np.append(np.tile([0, 1], 30), rng.permutation(20) % 2), groups


def sizes_by_source(rng):
    """The groups of one source have five samples, those of the other two."""
    codes = rng.permutation(np.arange(28) % 2)
    groups = np.repeat(np.arange(28), np.where(codes, 5, 2))
    values = 3 * rng.normal(size=(28, 3))[groups] + rng.normal(size=(len(groups), 3))
    order = rng.permutation(len(groups))
    return values[order], codes[groups][order], groups[order]


DRAWS = {
    every_sample_alone: "free",
    whole_groups: "whole",
    pairs_and_others: "whole and within",
    sizes_by_source: "whole",
}


@pytest.mark.parametrize("draw", DRAWS)
def test_p_values_are_uniform_where_sources_do_not_differ(draw):
    rng = np.random.default_rng(0)
    found = {name: [] for name in (*TAIL_OF, "region")}
    for seed in range(RUNS):
        values, codes, groups = draw(rng)
        values = values.astype(np.float32)
        options = PairOptions(permutations=19, seed=seed)
        compared = compare_pair(values, codes, groups, options)
        assert compared["scheme"] == DRAWS[draw]
        for name, metric in compared["metrics"].items():
            found[name].append(metric["p_value"])
        shares = region_shares(values[:, :2], codes, groups, 3, 19, seed)
        found["region"].append(shares.p_values[0])
    steps = np.arange(1, 21) / 20
    for name, p_values in found.items():
        below = (np.array(p_values)[:, np.newaxis] <= steps + 1e-9).mean(axis=0)
        # Ties make a p-value larger, never smaller: only too many small ones are wrong.
        excess = (below - steps).max()
        assert excess < 1.63 / np.sqrt(RUNS), name
        if name == "auc":
            assert abs(below - steps).max() < 1.63 / np.sqrt(RUNS)


def test_ignoring_groups_calls_equal_sources_different():
    rng = np.random.default_rng(0)
    low = 0
    for seed in range(40):
        values, codes, _ = whole_groups(rng)
        options = PairOptions(permutations=39, seed=seed)
        alone = np.arange(len(codes))
        compared = compare_pair(values.astype(np.float32), codes, alone, options)
        low += compared["metrics"]["own_neighbors"]["p_value"] <= 0.05
    assert low > 20


@pytest.mark.parametrize("draw", DRAWS)
def test_a_planted_shift_is_found(draw):
    values, codes, groups = draw(np.random.default_rng(1))
    shifted = (values + 9 * codes[:, np.newaxis]).astype(np.float32)
    metrics = compare_pair(shifted, codes, groups, PairOptions(permutations=99))["metrics"]
    for name in ("auc", "own_neighbors", "coverage_of_first", "coverage_of_second"):
        assert metrics[name]["p_value"] <= 0.02, name
    assert metrics["auc"]["value"] > 0.95
    assert metrics["coverage_of_first"]["value"] < metrics["coverage_of_first"]["low"]


def test_a_change_of_spread_is_seen_by_neighborhoods_where_no_line_can():
    rng = np.random.default_rng(2)
    codes = np.repeat([0, 1], 150)
    values = (rng.normal(size=(300, 4)) * np.where(codes, 0.3, 1)[:, np.newaxis]).astype(np.float32)
    metrics = compare_pair(values, codes, np.arange(300), PairOptions(permutations=99))["metrics"]
    assert metrics["auc"]["p_value"] > 0.05
    # The narrow source leaves the outer samples of the wide one uncovered.
    assert metrics["coverage_of_first"]["p_value"] <= 0.02
    assert metrics["coverage_of_first"]["value"] < 0.75


def test_pairs_show_a_shift_that_is_small_beside_what_pairs_share():
    rng = np.random.default_rng(3)
    groups, codes = np.repeat(np.arange(100), 2), np.tile([0, 1], 100)
    values = 20 * rng.normal(size=(100, 1))[groups] + np.zeros((200, 2))
    values[:, 1] = rng.normal(size=200) + 1.5 * codes
    compared = compare_pair(values.astype(np.float32), codes, groups, PairOptions(permutations=99))
    assert (compared["scheme"], compared["shared"]) == ("within", 100)
    assert compared["metrics"]["auc"]["p_value"] == 0.01


def test_coverage_and_density_on_a_line():
    # First: 0, 1, 2; second: 0.4, 9. Balls of the first reach to 1 (k = 1).
    values = np.array([0, 1, 2, 0.4, 9], np.float32)[:, np.newaxis]
    codes = np.array([0, 0, 0, 1, 1])
    order = neighbor_order(values, np.arange(5))
    found = neighborhood_metrics(order, codes, k=1, neighbors=1)
    # 0.4 is inside the balls of 0 and of 1, not of 2; 9 in none: 2 hits over 1 * 2 samples.
    assert found["coverage_of_first"] == pytest.approx(2 / 3)
    assert found["density_of_second"] == pytest.approx(2 / 2)
    # The ball of 0.4 reaches to 9 and holds all three; so does that of 9, which reaches to 0.4
    # and holds 1 and 2 only.
    assert found["coverage_of_second"] == 1
    assert found["density_of_first"] == pytest.approx((3 + 2) / 3)
    # Nearest: 0 -> 0.4, 1 -> 0.4, 2 -> 1, 0.4 -> 0, 9 -> 2.
    assert found["own_neighbors"] == pytest.approx(1 / 5)


@pytest.mark.parametrize("few", [0, 1])
def test_balls_without_enough_own_neighbors_hold_everything(few):
    """Two samples of one source among six of the other: no ball reaches to a third of the two."""
    values = np.arange(8, dtype=np.float32)[:, np.newaxis]
    codes = np.where(np.isin(np.arange(8), (1, 5)), few, 1 - few)
    found = neighborhood_metrics(neighbor_order(values, np.arange(8)), codes, 3, 3)
    few_name, many_name = (("first", "second")[code] for code in (few, 1 - few))
    assert found[f"coverage_of_{few_name}"] == 1
    assert found[f"density_of_{many_name}"] == pytest.approx(2 * 6 / (3 * 6))


def test_expected_coverage_is_the_closed_form():
    """Naeem et al. 2020, lemma 2: 1 - (n-1)...(n-k) / ((m+n-1)...(m+n-k))."""
    n, m, k = 60, 40, 5
    values = np.random.default_rng(4).normal(size=(n + m, 2)).astype(np.float32)
    codes = np.repeat([0, 1], [n, m])
    options = PairOptions(k=k, permutations=400)
    metrics = compare_pair(values, codes, np.arange(n + m), options)["metrics"]
    for name, own, others in (("first", n, m), ("second", m, n)):
        none = prod(own - i for i in range(1, k + 1)) / prod(n + m - i for i in range(1, k + 1))
        assert none == pytest.approx(comb(own - 1, k) / comb(n + m - 1, k))
        expected = metrics[f"coverage_of_{name}"]["expected"]
        assert expected == pytest.approx(1 - none, abs=0.01), others
    for name in ("first", "second"):
        assert metrics[f"density_of_{name}"]["expected"] == pytest.approx(1, abs=0.1)
    own_share = (n * (n - 1) + m * (m - 1)) / ((n + m) * (n + m - 1))
    assert metrics["own_neighbors"]["expected"] == pytest.approx(own_share, abs=0.01)


def test_samples_of_one_group_are_no_neighbors():
    values = np.array([0, 0.1, 5, 9], np.float32)[:, np.newaxis]
    order = neighbor_order(values, np.array([0, 0, 1, 2]))
    assert order[:, 0].tolist() == [2, 2, 3, 2]


@pytest.mark.parametrize(("dims", "offset"), [(5, 0), (300, 5), (3000, 0), (3000, 5)])
def test_rounding_is_no_component(dims, offset):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(200, 3)) * [1, 0.1, 0.01]
    axes = np.linalg.qr(rng.normal(size=(dims, 3)))[0].T
    values = (scores @ axes + offset / np.sqrt(dims)).astype(np.float32)
    found = leading_components(values, 20)
    assert found.shape == (200, 3)
    np.testing.assert_allclose(found.T @ found / 200, np.eye(3), atol=1e-3)


@pytest.mark.parametrize("dims", [5, 3000])
def test_equal_samples_have_equal_scores(dims):
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 7, 200)
    values = rng.normal(size=(7, dims)).astype(np.float32)[kinds]
    fold, target = np.arange(200) % 5, rng.integers(0, 2, (200, 1)).astype(float)
    scores = held_out_scores(leading_components(values, 20), fold, target)[:, 0]
    seen = {(kind, part): set() for kind in range(7) for part in range(5)}
    for kind, part, score in zip(kinds, fold, scores, strict=True):
        seen[kind, part].add(score)
    assert max(map(len, seen.values())) == 1


def test_the_discriminant_is_fishers():
    rng = np.random.default_rng(5)
    codes = np.repeat([0, 1], [70, 50])
    values = rng.normal(size=(120, 4)) * [1, 2, 3, 4] + codes[:, np.newaxis]
    fold = np.arange(120) % 5
    scores = held_out_scores(values, fold, codes[:, np.newaxis].astype(float))[:, 0]
    for number in range(5):
        out = fold == number
        model = LinearDiscriminantAnalysis(priors=[0.5, 0.5]).fit(values[~out], codes[~out])
        np.testing.assert_array_equal(scores[out] > 0, model.predict(values[out]) == 1)
        expected = roc_auc_score(codes[out], model.decision_function(values[out]))
        assert roc_auc_score(codes[out], scores[out]) == pytest.approx(expected)


def test_permutations_keep_sources_inside_shared_groups_and_groups_whole():
    codes = np.array([0, 1, 0, 0, 1, 1, 1])
    groups = np.array([0, 0, 1, 1, 2, 2, 3])
    exchange = Exchange(codes, groups)
    assert (exchange.scheme, exchange.shared) == ("whole and within", 1)
    seen = {tuple(drawn) for drawn in exchange.draws(200, 0)}
    # Two orders of the pair, times three groups that may be the one of the first source.
    assert len(seen) == 6
    for drawn in seen:
        assert set(drawn[:2]) == {0, 1}
        assert drawn[2] == drawn[3] and drawn[4] == drawn[5]


def test_regions_are_blind_to_sources_and_hold_every_place():
    rng = np.random.default_rng(6)
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    places = np.repeat(centres, 40, axis=0) + rng.normal(size=(120, 2))
    found = find_regions(places, 3, seed=0)
    nearest = region_of(centres, found)
    np.testing.assert_allclose(found[nearest], centres, atol=0.6)
    assert all(one[0] <= other[0] for one, other in pairwise(found))
    assert np.bincount(region_of(places, found)).tolist() == [40, 40, 40]
    codes = np.tile([0, 1], 60)
    codes[80:] = np.repeat([0, 1], [4, 36])
    shares = region_shares(places, codes, np.arange(120), 3, permutations=199, seed=0)
    np.testing.assert_allclose(shares.shares.sum(axis=0), 1)
    (planted,) = region_of(centres[2:], found)
    assert shares.p_adjusted[planted] <= 0.02
    assert shares.shares[planted] == pytest.approx([4 / 44, 36 / 76])
    assert find_regions(np.zeros((9, 2)), 3, seed=0).tolist() == [[0, 0]]


def test_whole_groups_are_drawn_from_all_sources():
    codes, groups = np.tile([0, 1], 50), np.repeat(np.arange(50), 2)
    rows = drawn_rows(codes, groups, 10, seed=0)
    assert np.bincount(groups[rows], minlength=50).max() == 2
    assert np.bincount(codes[rows]).tolist() == [10, 10]
    assert set(np.bincount(groups[rows]).tolist()) == {0, 2}


@pytest.fixture
def run(tmp_path):
    """Write the files of a run with samples of some sources."""

    def write(name, values, sources, groups=None):
        folder = tmp_path / name
        ids = [f"{name}{row}" for row in range(len(values))]
        empty = {f.name: pa.nulls(len(ids), f.type) for f in SCHEMA}
        columns = {"id": ids, "source": sources, "source_group": groups or ids}
        write_arrow(folder / "s.arrow", pa.table({**empty, **columns}))
        write_embedding(folder / "e.parquet", ids, np.asarray(values, np.float32), 1)
        places = {axis: np.asarray(values, np.float32)[:, i] for i, axis in enumerate("xy")}
        write_parquet(folder / "m.parquet", pa.table({"id": ids, **places}))
        return RunFiles(folder / "e.parquet", {"umap": folder / "m.parquet"}, [folder / "s.arrow"])

    return write


def test_every_pair_of_sources_is_compared_and_written_the_same_twice(run, tmp_path):
    values = np.random.default_rng(7).normal(size=(90, 3)) + np.repeat([0, 0, 4], 30)[:, np.newaxis]
    files = run("a", values, ["base"] * 30 + ["same"] * 30 + ["tuned"] * 30)
    outputs = [tmp_path / "1.json", tmp_path / "2.json"]
    for output in outputs:
        compare_sources(files, SourcesOptions(permutations=99), output)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    found = json.loads(outputs[0].read_text())
    assert [source["name"] for source in found["sources"]] == ["base", "same", "tuned"]
    p_values = {(p["first"], p["second"]): p["p_adjusted"] for p in found["pairs"]}
    assert p_values["base", "same"] > 0.05
    assert p_values["base", "tuned"] == p_values["same", "tuned"] == 0.03
    assert np.array(found["maps"]["umap"]["shares"]).sum(axis=0) == pytest.approx(1, abs=1e-4)
    assert found["reference"] is None


def test_a_reference_is_one_more_source_paired_by_source_group(run, tmp_path):
    rng = np.random.default_rng(11)
    values = rng.normal(size=(40, 3))
    groups = [f"prompt{row}" for row in range(40)]
    before = run("before", values, ["x"] * 20 + ["y"] * 20, groups)
    after = run("after", values + 0.1 * rng.normal(size=(40, 3)), ["x"] * 40, groups)
    output = tmp_path / "c.json"
    compare_sources(after, SourcesOptions(permutations=99), output, ("before", before))
    found = json.loads(output.read_text())
    assert [s["name"] for s in found["sources"]] == ["before (reference)", "x"]
    (pair,) = found["pairs"]
    assert (pair["scheme"], pair["shared"]) == ("within", 40)
    assert pair["p_adjusted"] > 0.05


def test_of_few_samples_the_neighbors_are_others_and_no_classifier_has_an_accuracy():
    values = np.random.default_rng(5).normal(size=(10, 3)).astype(np.float32)
    options = PairOptions(permutations=9)
    one = np.array([0, *[1] * 9])
    # All nine others are neighbors: the single one has none of its source, the nine have eight.
    found = compare_pair(values, one, np.arange(10), options)
    assert found["metrics"]["own_neighbors"]["value"] == pytest.approx(9 * 8 / 90)
    pair = compare_pair(values[:4], np.array([0, 0, 1, 1]), np.arange(4), options)
    assert np.isnan([pair["metrics"]["auc"]["value"], pair["accuracy"]]).all()


def test_regions_of_a_reference_are_not_tested_because_its_samples_shaped_the_map(run, tmp_path):
    # On the first components of wide noise, samples that did not take part fall together.
    shaped, placed = np.random.default_rng(3).normal(size=(2, 60, 3))
    files = run("after", 0.3 * placed, ["x"] * 60)
    reference = ("before", run("before", shaped, ["x"] * 60))
    compare_sources(files, SourcesOptions(permutations=99), tmp_path / "c.json", reference)
    found = json.loads((tmp_path / "c.json").read_text())["maps"]["umap"]
    assert found["p_values"] == found["p_adjusted"] == [None] * 12
    assert np.array(found["shares"]).sum(axis=0) == pytest.approx(1, abs=1e-4)


def test_one_source_that_is_left_has_no_pair(run, tmp_path):
    one = run("one", np.zeros((5, 3)), ["x"] * 5)
    compare_sources(one, SourcesOptions(permutations=9), tmp_path / "c.json")
    found = json.loads((tmp_path / "c.json").read_text())
    assert (found["pairs"], found["maps"]) == ([], {})
    assert found["sources"] == [{"name": "x", "samples": 5, "compared": 5}]


def test_samples_that_are_all_the_same_tell_nothing(run, tmp_path):
    same = run("same", np.ones((30, 3)), ["x"] * 15 + ["y"] * 15)
    compare_sources(same, SourcesOptions(permutations=19), tmp_path / "c.json")
    (pair,) = json.loads((tmp_path / "c.json").read_text())["pairs"]
    assert pair["metrics"]["auc"] | {"p_value": 1, "value": 0.5} == pair["metrics"]["auc"]


def test_an_embedding_of_other_dimensions_is_refused_in_one_line(run, tmp_path):
    options, output = SourcesOptions(permutations=9), tmp_path / "c.json"
    one = run("one", np.zeros((5, 3)), ["x"] * 5)
    wide = run("wide", np.zeros((5, 4)), ["x"] * 5)
    with pytest.raises(LatentmapError, match=r"has 3 dimensions where .* has 4"):
        compare_sources(one, options, output, ("wide", wide))
