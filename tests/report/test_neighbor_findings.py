"""Sentences about neighbors from planted metrics."""

from __future__ import annotations

from latentmap.metrics.metric import Key, Measurement
from latentmap.report.experiments import Experiment
from latentmap.report.neighbor_findings import neighbor_findings


def experiment(method, distance="euclidean", zero_rows=0, **values):
    metrics = {name: Measurement(value) for name, value in values.items()}
    return Experiment(Key("vae", "plain", method), metrics, {}, None, distance, zero_rows)


def test_high_hubness_is_a_warning_that_names_the_worst():
    hubby = [
        experiment("mean", hubness_skewness=2.5, hubness_antihubs=0.2),
        experiment("max", hubness_skewness=4.0, hubness_antihubs=0.314),
        experiment("min", hubness_skewness=0.3, hubness_antihubs=0.0),
    ]
    (found,) = neighbor_findings(hubby)
    assert found.warning
    assert "in 2 of 3 embeddings, most in vae / max (plain): 4, and 31 % of its" in found.text


def test_neighbors_without_hubs_are_not_mentioned():
    calm = experiment("mean", hubness_skewness=1.3, hubness_antihubs=0.0)
    assert not list(neighbor_findings([calm, experiment("max")]))


def test_the_cosine_is_said_and_rows_without_direction_are_a_warning():
    said, warned = neighbor_findings(
        [experiment("mean", "cosine", 1), experiment("max", "cosine", 3), experiment("p", "cosine")]
    )
    assert "compared by cosine" in said.text and not said.warning
    assert warned.warning
    assert "occur in 2 of 3 embeddings, most in vae / max (plain): 3." in warned.text


def gaining(method, value, low, high, distance="euclidean"):
    gain = Measurement(value, interval=None if low is None else (low, high))
    return Experiment(Key("vae", "plain", method), {"other_metric_gain": gain}, {}, None, distance)


def test_a_metric_that_would_find_clearly_more_is_a_warning():
    found = [gaining("mean", 0.06, 0.03, 0.09), gaining("max", 0.1, 0.05, 0.15)]
    (said,) = neighbor_findings(
        [*found, gaining("min", 0.2, 0.01, 0.4), gaining("p", 0.9, None, 0)]
    )
    assert said.warning
    assert said.text.startswith("By cosine, clearly more neighbors")
    assert "in 2 of 4 embeddings, most in vae / max (plain): +0.100" in said.text
    assert "set neighbors.metric to cosine" in said.text


def test_in_a_run_by_cosine_it_is_the_euclidean_distance():
    _, said = neighbor_findings([gaining("mean", 0.06, 0.03, 0.09, "cosine")])
    assert said.text.startswith("By Euclidean distance, clearly more neighbors")
    assert "in the only embedding, vae / mean (plain): +0.060" in said.text
    assert "set neighbors.metric to euclidean" in said.text
