import math
from dataclasses import replace

import pytest

from latentmap.errors import LatentmapError
from latentmap.metrics.metric import HEADLINE as HONEST
from latentmap.metrics.metric import Measurement
from latentmap.report.experiments import (
    Experiment,
    Key,
    counted,
    format_p,
    format_value,
    headline,
    metric_names,
    ranked,
    read_experiments,
    say_p,
)
from latentmap.store.files import write_json

LENIENT = "knn_category_acc"


def experiment(method, **metrics):
    return Experiment(
        Key("e", "plain", method), {k: Measurement(v) for k, v in metrics.items()}, {}
    )


def test_counts_are_said_as_one_would():
    found = [counted(n, of, "label") for n, of in ((1, 1), (2, 2), (0, 3), (3, 3), (2, 1200))]
    assert found == [
        *("the only label", "both labels", "none of the 3 labels", "all 3 labels"),
        "2 of 1,200 labels",
    ]


def test_tiny_p_values_are_only_said_to_be_so():
    assert [format_p(p) for p in (None, 0.0002, 0.001, 0.0123)] == [
        "–",
        "< 0.001",
        "0.001",
        "0.012",
    ]
    assert [say_p(p) for p in (0.0002, 0.0123)] == ["p < 0.001", "p = 0.012"]


def test_null_becomes_nan_and_keeps_its_note(tmp_path):
    entry = {"value": None, "chance": 0.1, "interval": None, "p_value": None, "note": "one label"}
    rates = {"n": 3, "knn_category_rate": 0.5, "knn_category_rate_grouped": None}
    neighbors = {"exact": False, "recall": 0.97, "metric": "euclidean", "zero_rows": 0}
    content = {"neighbors": neighbors, "metrics": {LENIENT: entry}, "labels": {"a": rates}}
    write_json(tmp_path / "m.json", content)
    (found,) = read_experiments([("e", "plain", "mean")], [tmp_path / "m.json"])
    assert found.key == Key("e", "plain", "mean")
    assert math.isnan(found.value(LENIENT)) and found[LENIENT].note == "one label"
    assert found[LENIENT].chance == 0.1 and found.recall == 0.97
    assert found.labels["a"].every.share == 0.5
    assert math.isnan(found.labels["a"].grouped.share)
    assert math.isnan(found.value("silhouette"))


@pytest.mark.parametrize("content", [{"a": 1}, {"metrics": {"a": 1}, "labels": {}}])
def test_a_file_of_another_kind_is_named(tmp_path, content):
    write_json(tmp_path / "m.json", content)
    with pytest.raises(LatentmapError, match=r"m\.json is not a file of metrics"):
        read_experiments([("e", "plain", "mean")], [tmp_path / "m.json"])


def test_the_honest_metric_ranks_and_what_is_undefined_comes_last():
    rows = [
        experiment("undefined", **{HONEST: math.nan, LENIENT: 0.9}),
        experiment("low", **{HONEST: 0.1, LENIENT: 0.8}),
        experiment("high", **{HONEST: 0.2, LENIENT: 0.3}),
    ]
    assert headline(rows) == HONEST
    assert [e.key.method for e in ranked(rows)] == ["high", "low", "undefined"]


def test_without_other_source_groups_the_lenient_metric_ranks():
    rows = [
        experiment("low", **{HONEST: math.nan, LENIENT: 0.3}),
        experiment("high", **{HONEST: math.nan, LENIENT: 0.8}),
    ]
    assert headline(rows) == LENIENT
    assert [e.key.method for e in ranked(rows)] == ["high", "low"]


def test_the_configured_metric_ranks():
    rows = [
        replace(experiment("low", f_ratio=1.0, knn_group_acc=0.3), headline="knn_group_acc"),
        replace(experiment("high", f_ratio=0.5, knn_group_acc=0.8), headline="knn_group_acc"),
    ]
    assert headline(rows) == "knn_group_acc"
    assert [e.key.method for e in ranked(rows)] == ["high", "low"]
    assert metric_names(rows) == ["knn_group_acc", "f_ratio"]


def test_metrics_that_rank_come_first_and_unknown_ones_last():
    rows = [experiment("a", zzz=1.0, silhouette=0.1, **{LENIENT: 0.3, HONEST: 0.2})]
    names = metric_names(rows)
    assert names[:2] == [HONEST, LENIENT] and names[-1] == "zzz"
    assert sorted(names) == sorted(["zzz", "silhouette", HONEST, LENIENT])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "–"),
        (None, "–"),
        (0.1554, "0.155"),
        (-0.2, "−0.200"),
        (16.0, "16"),
        (65536.0, "65,536"),
        (12345.6, "12,346"),
        (3.14159, "3.14"),
        (31.4159, "31.4"),
        (0.00012, "1.2e−04"),
    ],
)
def test_values_are_written_with_about_three_digits(value, text):
    assert format_value(value) == text
