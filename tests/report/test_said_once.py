"""What is the same in two ways, or cannot be said, is shown once."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np

from latentmap.metrics.metric import HEADLINE, Key, Measurement
from latentmap.neighbors.exact import find_neighbors
from latentmap.report.agreements import in_order
from latentmap.report.chart import CHARTS, Comparison
from latentmap.report.experiments import Experiment, distinct
from latentmap.report.findings import key_findings
from latentmap.report.neighbor_charts import LabelledGraph, share_histograms
from latentmap.report.palette import GROUPED, LIGHT, NEUTRAL, UNGROUPED
from latentmap.store.files import write_json

EVERY = "knn_category_acc"
OF_GROUPS = ("knn_group_acc_grouped", "knn_group_acc")


def experiment(method, grouped, every, of_groups):
    values = dict(zip((HEADLINE, EVERY, *OF_GROUPS), (grouped, every, *of_groups), strict=True))
    values |= {"silhouette": grouped / 2, "f_ratio": 3 * grouped}
    metrics = {name: Measurement(value, chance=0.1) for name, value in values.items()}
    return Experiment(Key("e", "plain", method), metrics, {})


SAME = [experiment(f"m{n}", n / 10, n / 10, (n / 10, n / 10)) for n in (3, 2, 1)]
OTHER = [experiment(f"m{n}", n / 10, n / 5, (n / 8, n / 4)) for n in (3, 2, 1)]


def chart(name, experiments):
    return CHARTS.create(name).build(Comparison(experiments, (), {})).to_dict()


def rows_of(spec):
    return json.dumps(spec).count('"neighbors":')


def test_metrics_that_are_the_same_numbers_stand_once():
    names = (HEADLINE, EVERY, *OF_GROUPS)
    assert distinct(names, SAME) == [HEADLINE]
    assert distinct(names, OTHER) == list(names)
    # One that differs for one embedding only is another metric.
    assert distinct(names, [*SAME[:2], OTHER[0]]) == list(names)
    lacking = [replace(e, metrics={HEADLINE: e.metrics[HEADLINE]}) for e in SAME]
    assert distinct((HEADLINE, EVERY), lacking) == [HEADLINE, EVERY]


def test_bars_are_not_doubled_and_groups_that_are_labels_have_none():
    once, twice = (chart("metric_bars", experiments) for experiments in (SAME, OTHER))
    titles = [[panel["title"] for panel in spec["concat"]] for spec in (once, twice)]
    assert [len([t for t in some if "purity" in t]) for some in titles] == [1, 2]
    # Of silhouette and F-ratio there are three bars each, too.
    assert (rows_of(once), rows_of(twice)) == (6 + 3, 6 + 12)
    color = once["concat"][0]["layer"][0]["encoding"]["color"]
    assert color["scale"]["domain"] == ["method"] and color["legend"] is None
    assert rows_of(chart("overview_bars", SAME)) == 3
    for name in ("metric_bars", "overview_bars"):
        notes = [CHARTS.create(name).note(Comparison(some, (), {})) for some in (SAME, OTHER)]
        assert notes[0] == "" and "light bar" in notes[1]
    assert "same group" not in json.dumps(chart("radar_chart", SAME))
    assert "same group" in json.dumps(chart("radar_chart", OTHER))


def test_the_range_of_chance_is_drawn_where_there_is_one():
    ranged = [
        replace(e, metrics={n: replace(m, chance_range=(0.0, 0.2)) for n, m in e.metrics.items()})
        for e in SAME
    ]
    for experiments, drawn in ((SAME, False), (ranged, True), ([*ranged[:2], SAME[2]], True)):
        (panel,) = chart("overview_bars", experiments)["concat"]
        fields = [layer["encoding"]["x"]["field"] for layer in panel["layer"]]
        assert ("chance_low" in fields) == drawn


def test_each_panel_of_the_overview_has_its_methods_best_first():
    others = [replace(e, key=e.key._replace(encoder="f")) for e in SAME[1:]]
    first, second = chart("overview_bars", [*SAME, *others])["concat"]
    orders = [panel["layer"][0]["encoding"]["y"]["sort"] for panel in (first, second)]
    assert orders == [["m3", "m2", "m1"], ["m2", "m1"]]


def test_baselines_are_grey_in_the_overview_and_said_to_be():
    others = [replace(e, key=e.key._replace(encoder="f")) for e in OTHER]
    comparison = Comparison([*OTHER, *others], (), baselines=["f"])
    panels = CHARTS.create("overview_bars").build(comparison).to_dict()["concat"]
    assert [panel["title"] for panel in panels] == ["e, plain", "f, plain (baseline)"]
    ranges = [panel["layer"][0]["encoding"]["color"]["scale"]["range"] for panel in panels]
    assert ranges == [[GROUPED, UNGROUPED], [NEUTRAL, LIGHT]]


def test_nothing_is_said_of_neighbors_of_the_same_source_group_where_there_are_none():
    for experiments, said in ((SAME, False), (OTHER, True)):
        texts = [finding.text for finding in key_findings(experiments, {})]
        assert any("same source group" in text for text in texts) == said


def test_variants_that_are_the_same_are_not_compared():
    boxes = [replace(e, key=e.key._replace(variant="boxes")) for e in SAME]
    higher = [replace(e, key=e.key._replace(variant="boxes")) for e in OTHER]
    for others, said in ((boxes, False), (higher[1:], True)):
        texts = [finding.text for finding in key_findings([*SAME, *others], {})]
        assert any("The best method of e reaches" in text for text in texts) == said


def histograms(labels, groups, sources):
    """The panels of the histograms, and which neighbors each of them shows."""
    values = np.random.default_rng(0).normal(size=(len(labels), 3)).astype(np.float32)
    ids = [str(row) for row in range(len(labels))]
    graph = find_neighbors(ids, values, [str(one) for one in sources], 5)
    data = LabelledGraph(graph, 5, ["a", "b", "c"], groups, np.array(labels), np.array(sources))
    spec = share_histograms(data, {"label": 0.3, "label group": 0.5}).to_dict()
    return [panel["layer"][0]["encoding"]["color"]["scale"]["domain"] for panel in spec["hconcat"]]


def test_a_histogram_is_not_shown_twice():
    labels, alone, four = np.arange(24) % 3, np.arange(24), np.arange(24) // 4
    other, every = "across sources", "all neighbors"
    assert histograms(labels, ["a", "b", "c"], alone) == [[other]]
    assert histograms(labels, ["x", "x", "c"], alone) == [[other], [other]]
    assert histograms(labels, ["a", "b", "c"], four) == [[other, every]]
    assert histograms(labels, ["a", "b", "c"], 0 * alone) == [[every]]


def test_without_a_defined_metric_none_is_best_and_the_reason_is_said_once(tmp_path):
    why = Measurement(math.nan, note="No two samples share a label.")
    labelled = [replace(e, metrics={HEADLINE: why, EVERY: why}) for e in SAME]
    (said,) = (finding.text for finding in key_findings(labelled, {}))
    assert said == "Methods are not ranked: No two samples share a label."
    # The second method is the one whose neighbors agree most with those of the others.
    values = [[1, 0.6, 0.1], [0.6, 1, 0.5], [0.1, 0.5, 1]]
    table = {"methods": ["m3", "m2", "m1"], "values": values, "chance": values, "limit": values}
    write_json(tmp_path / "agreement.json", {"tables": {"jaccard": table}})
    order = in_order(labelled, {("e", "plain"): tmp_path / "agreement.json"})
    assert [e.key.method for e in order] == ["m2", "m3", "m1"]
