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
    assert "in 2 of 3 embeddings, most in max of vae (plain): 4, and 31 % of its" in found.text


def test_neighbors_without_hubs_are_not_mentioned():
    calm = experiment("mean", hubness_skewness=1.3, hubness_antihubs=0.0)
    assert not list(neighbor_findings([calm, experiment("max")]))


def test_the_cosine_is_said_and_rows_without_direction_are_a_warning():
    said, warned = neighbor_findings(
        [experiment("mean", "cosine", 1), experiment("max", "cosine", 3), experiment("p", "cosine")]
    )
    assert "compared by cosine" in said.text and not said.warning
    assert warned.warning
    assert "2 of 3 embeddings have rows of zeros" in warned.text
    assert "most of them max of vae (plain): 3 rows." in warned.text
