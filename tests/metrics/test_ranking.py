"""The ranking of planted methods."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import HEADLINE, Key, headlines
from latentmap.metrics.ranking import RankedMethods, rank_methods
from latentmap.store.files import write_json
from latentmap.store.tables import numbers, strings, write_arrow, write_parquet

FEW = StatisticsOptions(resamples=300)
GROUPS = np.arange(240) // 4


def ranked(scores, groups=GROUPS, p_values=None, baselines=("dct",), statistics=FEW):
    """Rank methods given as {(encoder, variant, method): scores}."""
    keys = [Key(*key) for key in scores]
    columns = np.stack(list(scores.values()), axis=1)
    p_values = p_values or [{} for _ in keys]
    return RankedMethods("f", keys, columns, p_values, groups, statistics).describe(baselines)


@pytest.fixture(scope="module")
def planted():
    """A leader, two that differ from each other in noise, one that is the same as another."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=60)[GROUPS]
    level = {"best": 0.6, "middle": 0.3, "close": 0.29, "worst": 0.0}
    found = {("vae", "plain", n): v + common + 0.2 * rng.normal(size=240) for n, v in level.items()}
    found["vae", "plain", "twin"] = found["vae", "plain", "middle"]
    return found


def test_who_may_be_the_best_is_named(planted):
    """What all methods share is ten times as wide as what tells them apart."""
    scope = ranked(planted)["scopes"][1]
    assert (scope["encoder"], scope["variant"]) == ("vae", "plain")
    rows = {row["method"]: row for row in scope["ranking"]}
    assert next(iter(rows)) == "best"
    assert next(reversed(rows)) == "worst"
    assert [name for name, row in rows.items() if row["may_be_best"]] == ["best"]
    assert rows["best"]["p_best"] == 1
    assert max(row["p_best"] for row in scope["ranking"][1:]) <= 0.05
    assert all(row["interval"][0] < row["value"] < row["interval"][1] for row in rows.values())
    assert scope["next"]["identical"] == []
    assert scope["next"]["method"] is None
    others = {key: planted[key] for key in planted if key[2] != "best"}
    scope = ranked(others)["scopes"][1]
    left = {row["method"] for row in scope["ranking"] if row["may_be_best"]}
    assert left == {"middle", "twin", "close"}
    assert scope["next"] == {
        "identical": [("vae", "plain", "twin")],
        "method": ("vae", "plain", "close"),
        "source_groups": scope["next"]["source_groups"],
        "limit": 6000,
    }
    assert 60 < scope["next"]["source_groups"] <= 6000


def test_intervals_of_shares_stay_inside_their_bounds():
    rng = np.random.default_rng(0)
    scores = np.stack([rng.random(240) < share for share in (0.99, 0.5, 0.01)], axis=1) * 1.0
    keys = [Key("vae", "plain", str(i)) for i in range(3)]
    methods = RankedMethods(HEADLINE, keys, scores, [{}] * 3, GROUPS, FEW)
    intervals = [row["interval"] for row in methods.describe([])["scopes"][0]["ranking"]]
    assert all(0 <= low < high <= 1 for low, high in intervals)
    low, high = intervals[1]
    assert (low + high) / 2 == pytest.approx(scores[:, 1].mean(), abs=0.01)


def test_firm_differences_are_kept_by_a_fresh_sample_and_noise_is_not(planted):
    apart = {key: planted[key] for key in planted if key[2] in ("best", "middle", "worst")}
    firm = ranked(apart)["scopes"][0]["fresh"]
    assert firm == {"keeps_best": 1, "kendall": {"mean": 1, "lowest": 1, "highest": 1}}
    rng = np.random.default_rng(1)
    noise = {("vae", "plain", str(i)): rng.normal(size=240) for i in range(12)}
    loose = ranked(noise)["scopes"][0]["fresh"]
    assert loose["keeps_best"] < 0.5
    assert loose["kendall"]["lowest"] < loose["kendall"]["mean"] < loose["kendall"]["highest"]
    assert ranked(dict(list(noise.items())[:2]))["scopes"][0]["fresh"]["kendall"] is None


def test_p_values_are_adjusted_within_and_over_encoders():
    flat = np.random.default_rng(0).normal(size=240)
    keys = [("a", "plain", "m"), ("a", "plain", "n"), ("b", "plain", "m")]
    p_values = [{"f": 0.01, "g": 0.5}, {"f": 0.02}, {"f": 0.03}]
    scopes = ranked(dict.fromkeys(keys, flat), p_values=p_values)["scopes"]
    found = [
        {(row["encoder"], row["method"]): row["p_adjusted"] for row in scope["ranking"]}
        for scope in scopes
    ]
    assert found[0]["a", "m"] == pytest.approx({"f": 0.03, "g": 0.5})
    assert found[0]["a", "n"]["f"] == found[0]["b", "m"]["f"] == pytest.approx(0.04)
    assert found[1] == {("a", "m"): {"f": 0.02, "g": 0.5}, ("a", "n"): {"f": 0.02}}
    assert found[2] == {("b", "m"): {"f": 0.03}}


def test_variants_and_baselines_are_compared():
    rng = np.random.default_rng(0)
    base = rng.normal(size=240)
    scores = {
        ("vae", "plain", "mean"): base,
        ("vae", "boxes", "mean"): base + 0.5,
        ("vae", "boxes", "max"): base + 0.1,
        ("dct", "boxes", "mean"): base + 0.7,
        ("metadata", "boxes", "flatten"): base + 0.2,
    }
    found = ranked(scores, baselines=("dct", "metadata"))
    (variant,) = found["variants"]
    assert (variant["encoder"], variant["method"]) == ("vae", "mean")
    assert variant["difference"] == pytest.approx(0.5)
    assert variant["interval"] == pytest.approx([0.5, 0.5], abs=1e-4)
    (against,) = found["baselines"]
    assert (against["encoder"], against["method"]) == ("vae", "mean")
    assert against["baseline"]["encoder"] == "dct"
    assert against["difference"] == pytest.approx(-0.2)


def test_few_source_groups_exclude_nothing(planted):
    found = ranked(planted, groups=np.arange(240) % 9)
    assert found["note"] == "9 source groups are too few for intervals."
    for scope in found["scopes"]:
        assert scope["fresh"] is scope["next"] is None
        for row in scope["ranking"]:
            assert row["p_best"] is row["may_be_best"] is row["interval"] is None
    assert found["scopes"][0]["ranking"][0]["method"] == "best"


def test_what_is_not_defined_is_not_ranked(planted):
    nothing = np.full(240, np.nan)
    one = ranked({**planted, ("vae", "plain", "undefined"): nothing})
    assert "undefined" not in {row["method"] for row in one["scopes"][0]["ranking"]}
    found = ranked({("vae", "plain", "mean"): nothing})
    assert found["note"] == "f is not defined for any embedding."
    assert found["scopes"][0]["ranking"] == found["variants"] == found["baselines"] == []


def write_run(folder, metric):
    ids = [f"s{row}" for row in range(240)]
    sources = strings([str(group) for group in GROUPS])
    write_arrow(folder / "0.arrow", pa.table({"id": strings(ids), "source_group": sources}))
    rng = np.random.default_rng(0)
    for method in ("mean", "max"):
        scores = numbers(rng.normal(size=240).astype(np.float32))
        write_parquet(folder / f"{method}.parquet", pa.table({"id": strings(ids), metric: scores}))
        entries = {metric: {"p_value": 0.01}, "size": {"p_value": None}}
        write_json(folder / f"{method}.json", {"metrics": entries})


def rank_run(folder, output, headline=HEADLINE):
    methods = ("mean", "max")
    rank_methods(
        [("vae", "plain", method) for method in methods],
        [folder / f"{method}.json" for method in methods],
        [folder / f"{method}.parquet" for method in methods],
        [folder / "0.arrow"],
        headline,
        [],
        FEW,
        folder / output,
    )
    return json.loads((folder / output).read_text())


@pytest.mark.parametrize("metric", headlines(HEADLINE))
def test_files_in_and_out(tmp_path, metric):
    write_run(tmp_path, metric)
    found = rank_run(tmp_path, "1.json")
    rank_run(tmp_path, "2.json")
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
    assert (found["metric"], found["source_groups"], found["note"]) == (metric, 60, None)
    assert found["scopes"][0]["ranking"][0]["p_adjusted"] == {metric: 0.02}


def test_the_headline_ranks_and_its_twin_where_it_is_not_defined(tmp_path):
    write_run(tmp_path, "knn_group_acc")
    assert rank_run(tmp_path, "r.json", "knn_group_acc_grouped")["metric"] == "knn_group_acc"
    assert rank_run(tmp_path, "r.json", "knn_group_acc")["scopes"][0]["ranking"]
    found = rank_run(tmp_path, "r.json")
    assert found["note"] == "knn_category_acc is not defined for any embedding."


def test_damaged_files_are_named(tmp_path):
    write_run(tmp_path, HEADLINE)
    write_json(tmp_path / "max.json", {"metrics": {"f": 3}})
    with pytest.raises(LatentmapError, match=r"max\.json is not a file of metrics"):
        rank_run(tmp_path, "r.json")
    write_run(tmp_path, HEADLINE)
    write_parquet(tmp_path / "max.parquet", pa.table({"id": strings(["s0"])}))
    with pytest.raises(LatentmapError, match=r"max\.parquet has 1 rows where 240 are expected"):
        rank_run(tmp_path, "r.json")


def test_samples_without_a_score_are_as_if_they_were_not_there(tmp_path, planted):
    ids = [str(row) for row in range(240)]
    some = np.arange(240) < 120

    def rank(kept, scored, name):
        paths = [tmp_path / f"{name}-{number}.parquet" for number in range(len(planted))]
        for path, values in zip(paths, planted.values(), strict=True):
            column = np.where(scored, values, np.nan)[kept]
            table = {"id": strings(np.array(ids)[kept].tolist()), HEADLINE: numbers(column)}
            write_parquet(path, pa.table(table))
        groups = GROUPS[kept].astype(str).tolist()
        samples = pa.table({"id": np.array(ids)[kept].tolist(), "source_group": groups})
        write_arrow(tmp_path / f"{name}.arrow", samples)
        write_json(tmp_path / "m.json", {"metrics": {}})
        metrics = [tmp_path / "m.json"] * len(paths)
        output = tmp_path / f"{name}.json"
        samples = [tmp_path / f"{name}.arrow"]
        rank_methods(planted, metrics, paths, samples, HEADLINE, (), FEW, output)
        return json.loads(output.read_text())

    assert rank(np.arange(240), some, "mixed") == rank(np.flatnonzero(some), some, "alone")
    nothing = rank(np.arange(240), np.zeros(240, bool), "none")
    assert nothing["scopes"][0]["ranking"] == []
