import math
from typing import get_args

import pytest

from latentmap.encode.calibration import Calibration, StatedStatistics
from latentmap.metrics.metric import HEADLINE as HONEST
from latentmap.report.agreements import read_agreement
from latentmap.report.chart import CHARTS, Comparison, Scope, charts_of
from latentmap.report.costs import MethodCost
from latentmap.report.experiments import Experiment, Key, ranked, read_experiments
from latentmap.report.learning import Learning, LearningPoint, read_learning
from latentmap.report.publish import charts_in
from latentmap.store.results import LEARNING


@pytest.fixture
def comparison(fake_run):
    keys = [key for key in fake_run.metrics if key[:2] == ("tiny-vae", "plain")]
    experiments = read_experiments(keys, [fake_run.metrics[key] for key in keys])
    costs = {Key(*key): MethodCost(2.5, 120.0, 4096) for key in keys}
    place = "tiny-vae", "plain"
    agreement = read_agreement(fake_run.agreements[place], fake_run.map_agreements[place])
    return Comparison(ranked(experiments), (), {"big_predicate": "Size"}, costs, agreement)


@pytest.fixture
def overview(fake_run):
    experiments = ranked(read_experiments(fake_run.metrics, fake_run.metrics.values()))
    own = Calibration(9, 9, (0.2,), (1.0,), StatedStatistics((0.0,), (1.0,)))
    place = "tiny-vae", "plain"
    learning = {place: read_learning(fake_run.results.path(LEARNING, *place))}
    return Comparison(experiments, (), {}, calibrations={place: own}, learning=learning)


def values(spec):
    """All rows of a specification's data sets."""
    return [row for rows in spec["datasets"].values() for row in rows]


def test_every_chart_says_what_it_is():
    scopes = get_args(Scope)
    assert {name for scope in scopes for name in charts_of(scope)} == set(CHARTS.names())
    for name in CHARTS:
        chart = CHARTS[name]
        assert chart.title and chart.look_for and CHARTS.description(name).endswith(".")


@pytest.mark.parametrize("name", CHARTS.names())
def test_a_chart_has_a_description_and_is_the_same_when_built_again(comparison, overview, name):
    data = overview if CHARTS[name].scope == "summary" else comparison
    spec = CHARTS.create(name).build(data).to_dict()
    assert spec["description"]
    assert CHARTS.create(name).build(data).to_dict() == spec


@pytest.mark.parametrize("name", CHARTS.names())
def test_a_chart_of_nothing_is_none(name):
    nothing = Comparison([Experiment(Key("e", "plain", "mean"), {}, {})], (), {})
    assert CHARTS.create(name).build(nothing) is None


def test_the_heatmap_is_relative_to_each_label_s_own_chance(comparison):
    spec = CHARTS.create("category_heatmap").build(comparison).to_dict()
    best = comparison.experiments[0]
    cells = {(row["method"], row["label"]): row for row in values(spec)}
    assert len(cells) == sum(len(e.labels) for e in comparison.experiments)
    for label, rates in best.labels.items():
        cell = cells[best.key.method, label]
        assert cell["beyond"] == pytest.approx(rates.grouped.share - rates.grouped.chance)


def test_bars_show_both_neighbor_lists_in_the_order_of_the_ranking(comparison):
    spec = CHARTS.create("metric_bars").build(comparison).to_dict()
    first = spec["concat"][0]
    assert first["layer"][0]["encoding"]["y"]["sort"] == [
        e.key.method for e in comparison.experiments
    ]
    rows = spec["datasets"][first.get("data", first["layer"][0].get("data"))["name"]]
    assert len(rows) == 2 * len(comparison.experiments)
    honest = [row["value"] for row in rows if row["neighbors"] == "across sources"]
    assert honest == [e.value(HONEST) for e in comparison.experiments]


def test_undefined_metrics_have_no_panel(comparison):
    assert all(math.isnan(e.value("calinski_harabasz")) for e in comparison.experiments)
    spec = CHARTS.create("metric_bars").build(comparison).to_dict()
    assert not any("calinski" in panel["title"] for panel in spec["concat"])


def test_bars_have_the_range_of_chance_behind_its_tick(comparison):
    spec = CHARTS.create("metric_bars").build(comparison).to_dict()
    panel = next(panel for panel in spec["concat"] if "label purity" in panel["title"])
    band, tick = panel["layer"][-2:]
    assert (band["encoding"]["x"]["field"], band["encoding"]["x2"]["field"]) == (
        "chance_low",
        "chance_high",
    )
    assert tick["encoding"]["x"]["field"] == "chance"
    ranges = {(row["chance_low"], row["chance_high"]) for row in values(spec)}
    assert (0.07, 0.11) in ranges
    best = max(values(spec), key=lambda row: row["value"] if row["effect"] else 0)
    assert best["effect"] == pytest.approx((best["value"] - 0.09) / 0.91)
    told = [tooltip["field"] for tooltip in panel["layer"][0]["encoding"]["tooltip"]]
    assert {"value", "chance", "effect"} <= set(told)


def test_agreement_is_shown_where_it_exceeds_chance_and_names_duplicates(comparison):
    chart = CHARTS.create("method_agreement")
    spec = chart.build(comparison).to_dict()
    assert [panel["title"].split(" ")[0] for panel in spec["concat"]] == [
        "neighbors",
        "linear",
        "tsne3d",
        "umap",
    ]
    assert spec["columns"] == 2
    order = spec["concat"][0]["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert abs(order.index("flatten") - order.index("range")) == 1
    rows = [row for row in values(spec) if row["method"] == "mean"]
    assert all((row["percent"] is None) == (row["value"] <= 0.15) for row in rows)
    assert {row["percent"] is None for row in rows} == {True, False}
    assert "flatten = range: the same embedding" in chart.note(comparison)


def test_learning_curves_have_a_line_over_their_sets_and_chance(overview):
    spec = CHARTS.create("learning_curve").build(overview).to_dict()
    (panel,) = spec["concat"]
    rows = spec["datasets"][panel["layer"][0]["data"]["name"]]
    assert [(row["source_groups"], row["mean"], row["value"]) for row in rows] == [
        (15, pytest.approx(0.21), 0.2),
        (15, pytest.approx(0.21), 0.22),
        (30, 0.25, 0.25),
        (60, 0.3, 0.3),
    ]
    best = overview.experiments[0]
    assert {row["chance"] for row in rows} == {best[HONEST].chance}
    alone = Learning("mean", {HONEST: [LearningPoint(9, 9, [0.3])]})
    data = Comparison(overview.experiments, (), {}, learning={("tiny-vae", "plain"): alone})
    assert CHARTS.create("learning_curve").build(data) is None


def parts_of(node):
    """Yield a chart and all its parts but their rows."""
    yield node
    for key in ("layer", "concat", "hconcat", "vconcat"):
        for part in node.get(key, ()):
            yield from parts_of(part)


def test_charts_draw_chance_where_it_is_known_and_methods_in_one_order(report):
    """Of bars and lines; matrices say by their colours how far a share is beyond chance."""
    drawn = 0
    for page in sorted(report.folder.glob("report/**/*.html")):
        for name, chart in charts_in(page.read_text()).items():
            orders = []
            for part in parts_of(chart["spec"]):
                layers = part.get("layer", [])
                if not layers or any(str(one["mark"]).find("rect") > 0 for one in layers):
                    continue
                encoded = [one["encoding"].get(axis, {}) for one in layers for axis in "xy"]
                own = (layers[0].get("data") or part.get("data") or {}).get("name")
                known = chart["spec"]["datasets"].get(own, {}).get("chance", [])
                if any(value is not None for value in known):
                    assert "chance" in [one.get("field") for one in encoded], (page, name)
                    drawn += 1
                scales = [one["scale"] for one in encoded if one.get("field") == "method"]
                orders += [scale["domain"] for scale in scales]
            for order in orders:
                whole = max(orders, key=len)
                assert order == [method for method in whole if method in order], (page, name)
    assert drawn > 10
