"""What the comparison charts draw, against answers known from the planted metrics."""

import dataclasses
import json
import math
import sys

import pytest

from latentmap.metrics import metric
from latentmap.metrics import metrics as package
from latentmap.metrics.metric import HEADLINE as HONEST
from latentmap.metrics.metric import METRICS, Measurement, Metric
from latentmap.report.chart import CHARTS, Comparison
from latentmap.report.charts.radar_chart import normalised
from latentmap.report.experiments import Experiment, Key, ranked, read_experiments
from latentmap.report.frontier import frontier


@pytest.fixture
def everything(fake_run):
    return ranked(read_experiments(fake_run.metrics, fake_run.metrics.values()))


@pytest.fixture
def comparison(everything):
    own = [e for e in everything if e.key[:2] == ("tiny-vae", "plain")]
    rival = next(e for e in everything if e.key[:2] == ("dct", "plain"))
    return Comparison(own, [rival], {})


def built(name, comparison):
    return CHARTS.create(name).build(comparison).to_dict()


def nodes(value, data=None):
    """Every object of a specification, with the data that it inherits."""
    if isinstance(value, dict):
        data = value.get("data", data)
        yield {**value, "data": data}
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from nodes(inner, data)


def rows_of(spec, part, **wanted):
    """Rows of the layers in a part of a specification whose mark has these properties."""
    return [
        row
        for node in nodes(part)
        if isinstance(node.get("mark"), dict) and wanted.items() <= node["mark"].items()
        for row in spec["datasets"][node["data"]["name"]]
    ]


def test_the_frontier_is_what_no_row_beats():
    rows = [
        {"cost": cost, "value": value}
        for cost, value in [(4, 0.9), (1, 0.2), (2, 0.1), (1, 0.5), (3, 0.9), (2, 0.6), (5, 0.9)]
    ]
    assert [(row["cost"], row["value"]) for row in frontier(rows, "cost")] == [
        (1, 0.5),
        (2, 0.6),
        (3, 0.9),
    ]


def test_the_pareto_chart_joins_the_methods_that_none_beats_and_marks_baselines(comparison):
    sizes = {"mean": 64, "max": 16, "min": 16}
    experiments = [
        Experiment(
            e.key, e.metrics | {"n_dimensions": Measurement(sizes.get(e.key.method, 256))}, {}
        )
        for e in comparison.experiments
    ]
    spec = built("pareto_frontier", dataclasses.replace(comparison, experiments=experiments))
    _, panel = spec["hconcat"]
    line = rows_of(spec, panel, type="line")
    assert [row["name"] for row in line] == ["max", "mean"]
    shown = rows_of(spec, panel, type="point")
    assert [row["name"] for row in shown if row["kind"] == "baseline"] == ["dct / mean"]
    assert len(shown) == len(experiments) + 1
    assert {row["label"] for row in shown} == {"max", "mean", "dct / mean", None}
    assert all(
        node["scale"]["type"] == "log" for node in nodes(spec) if "format" in node.get("axis", {})
    )


def test_a_metric_is_scaled_from_the_worst_to_the_best_in_its_own_direction():
    values = {"a": 1.0, "b": 3.0, "c": 2.0, "d": math.nan}
    assert normalised(values, "silhouette") == {"a": 0, "b": 1, "c": 0.5}
    assert normalised(values, "davies_bouldin") == {"a": 1, "b": 0, "c": 0.5}
    assert normalised({"a": 1.0, "b": 1.0}, "silhouette") == {}
    assert normalised({"a": math.nan}, "silhouette") == {}


def test_compression_and_efficiency_are_better_the_less_there_is():
    """From 4,096 tokens to one: 16, a third of the way in powers of two, is two thirds of it."""
    tokens = {"flatten": 4096.0, "patch4": 16.0, "mean": 1.0}
    assert normalised(tokens, "n_tokens") == pytest.approx(
        {"flatten": 0, "patch4": 2 / 3, "mean": 1}
    )
    assert normalised({"a": 100.0, "b": 10.0}, "effective_dim_90") == {"a": 0, "b": 1}


def test_the_radar_shows_the_best_methods_as_closed_outlines(comparison):
    spec = built("radar_chart", comparison)
    radar, parallel = spec["concat"]
    outlines = rows_of(spec, radar, strokeWidth=2.2)
    baseline = comparison.named[-1][0]
    shown = [*(e.key.method for e in comparison.experiments[:6]), baseline]
    assert list(dict.fromkeys(row["method"] for row in outlines)) == shown
    best = [row for row in outlines if row["method"] == "mean"]
    assert (best[0]["x"], best[0]["y"]) == pytest.approx((best[-1]["x"], best[-1]["y"]))
    assert {"compression", "efficiency", "same label"} <= {row["axis"] for row in best}
    # The best of all methods and of the baseline: on the outermost ring, whatever the metric.
    assert all(math.hypot(row["x"], row["y"]) == pytest.approx(1) for row in best)
    rings = [row for row in rows_of(spec, radar, style="guide") if "ring" in row]
    assert {row["ring"] for row in rings} == {0.25, 0.5, 0.75, 1.0}
    assert all(math.hypot(row["x"], row["y"]) == pytest.approx(row["ring"]) for row in rings)
    lines = rows_of(spec, parallel, type="line")
    assert {row["method"] for row in lines} == {name for name, _ in comparison.named}
    assert {row["value"] for row in lines if row["method"] == "max"} <= {
        m.value for m in comparison.experiments[1].metrics.values()
    }


def test_no_layer_of_the_radar_is_without_rows_where_all_methods_are_shown(comparison):
    few = dataclasses.replace(comparison, experiments=comparison.experiments[:3])
    spec = built("radar_chart", few)
    assert len(spec["concat"][1]["layer"]) == 1
    assert all(spec["datasets"].values())


def test_variants_stand_side_by_side_where_an_encoder_saw_both(everything):
    spec = built("variant_bars", Comparison(everything, (), {}))
    assert [panel["title"] for panel in spec["concat"]] == ["dct", "tiny-vae"]
    rows = {
        (r["method"], r["variant"]): r["value"]
        for r in rows_of(spec, spec["concat"][1], type="bar")
    }
    expected = {e.key[1:][::-1]: e.value(HONEST) for e in everything if e.key.encoder == "tiny-vae"}
    assert rows == expected
    one = [e for e in everything if e.key.variant == "plain"]
    assert CHARTS.create("variant_bars").build(Comparison(one, (), {})) is None


def test_bars_of_baselines_are_grey_and_the_legend_says_so(comparison):
    rows = built("metric_bars", comparison)
    for panel in rows["concat"]:
        bars = [row for row in rows_of(rows, panel, type="bar") if "shade" in row]
        assert all(("baseline" in r["shade"]) == (r["method"] == "dct / mean") for r in bars)
        color = next(layer["encoding"]["color"] for layer in panel["layer"])
        greys = {
            s
            for s, c in zip(*map(color["scale"].get, ("domain", "range")), strict=True)
            if len({c[1:3], c[3:5], c[5:7]}) == 1
        }
        assert greys == {r["shade"] for r in bars if r["method"] == "dct / mean"}
        assert greys and color["legend"] is not None


def test_the_baselines_stand_in_the_heatmap(comparison):
    spec = built("category_heatmap", comparison)
    methods = {row["method"] for rows in spec["datasets"].values() for row in rows}
    assert methods == {name for name, _ in comparison.named}


def test_names_keep_methods_and_baselines_apart():
    own, rival = (Experiment(Key(name, "plain", "mean"), {}, {}) for name in ("vae", "dct"))
    data = Comparison([own], [rival], {})
    assert data.named == [("mean", own), ("dct / mean", rival)]


def test_the_curve_has_a_line_for_each_method_over_k_above_chance(comparison):
    spec = built("label_curve", comparison)
    lines = rows_of(spec, spec, type="line", strokeWidth=2.2)
    best = comparison.experiments[0]
    values = {(row["method"], row["k"]): row["value"] for row in lines}
    assert len({method for method, _ in values}) == 5
    for k, point in best[HONEST].by_k.items():
        assert values[best.key.method, k] == point.value
    dashed = rows_of(spec, spec, type="line", strokeDash=[5, 3])
    assert {row["method"] for row in dashed} == {comparison.named[-1][0]}
    (band,) = [node for node in nodes(spec) if node.get("mark", {}) and "area" in str(node["mark"])]
    assert {row["chance"] for row in spec["datasets"][band["data"]["name"]]} == {0.08}


def test_without_a_curve_there_is_no_chart(comparison):
    bare = [Experiment(e.key, {HONEST: Measurement(0.5)}, {}) for e in comparison.experiments]
    assert CHARTS.create("label_curve").build(Comparison(bare, (), {})) is None


NEWCOMER = '''
"""A metric that nobody has heard of."""

from latentmap.metrics.metric import Metric, MetricColumn


class Newcomer(Metric):
    columns = {"newcomer": MetricColumn("what nobody has heard of", "Newcomer", better="higher")}

    def measure(self, data):
        return {}
'''


def test_a_new_metric_appears_without_a_chart_being_edited(
    comparison, tmp_path, monkeypatch, request
):
    request.addfinalizer(lambda: sys.modules.pop(f"{METRICS.package}.newcomer"))
    (tmp_path / "newcomer.py").write_text(NEWCOMER)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.setattr(metric, "METRICS", type(METRICS)(METRICS.package, Metric, "metric"))
    measured = [
        dataclasses.replace(e, metrics={**e.metrics, "newcomer": Measurement(float(place))})
        for place, e in enumerate(comparison.experiments)
    ]
    data = dataclasses.replace(comparison, experiments=measured)
    titles = [panel["title"] for panel in built("metric_bars", data)["concat"]]
    assert "Newcomer (higher is better)" in titles
    assert "Newcomer" in json.dumps(built("radar_chart", data)["datasets"])


def test_what_is_counted_has_no_ticks_between_whole_numbers(comparison):
    """One token for every method: the axis says 1, and nothing of 700 thousandths."""
    one = [
        dataclasses.replace(e, metrics=e.metrics | {"n_tokens": Measurement(1.0)})
        for e in (*comparison.experiments, *comparison.references)
    ]
    spec = built("pareto_frontier", Comparison(one[:-1], one[-1:], {}))
    ticks = [
        node["axis"]["values"]
        for node in nodes(spec["hconcat"][0])
        if isinstance(node.get("axis"), dict) and "values" in node["axis"]
    ]
    assert ticks and all(found == [1.0] for found in ticks)
