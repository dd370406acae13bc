"""What to know of the neighbors that the metrics of a run are made from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from latentmap.metrics.metric import Measurement
from latentmap.metrics.metrics.hubness import HIGH
from latentmap.report.experiments import Experiment, counted, format_difference, format_value
from latentmap.report.findings import Finding

CLEAR_GAIN = 0.02
"""A share of all neighbors: where an interval is above it, another metric finds clearly more."""


def neighbor_findings(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    """Yield what is to be known of the neighbors of these embeddings."""
    yield from _cosine(experiments)
    yield from _other_metric(experiments)
    yield from _hubness(experiments)


def _cosine(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    if not any(e.distance == "cosine" for e in experiments):
        return
    yield Finding(
        "Samples are compared by cosine: every row of an embedding is normalized to unit length, "
        "for neighbors, metrics and maps alike."
    )
    without = [e for e in experiments if e.zero_rows]
    if without:
        most = max(without, key=lambda e: e.zero_rows)
        yield Finding(
            f"All-zero rows, which have no direction, occur {_in(without, experiments, most)}: "
            f"{most.zero_rows:,}. They count as orthogonal to all other rows and as identical to "
            "each other.",
            warning=True,
        )


def _other_metric(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    """Say where the other metric finds clearly more neighbors of the same label."""
    gains = {e.key: e["other_metric_gain"] for e in experiments}
    clear = [e for e in experiments if _lowest(gains[e.key]) > CLEAR_GAIN]
    if not clear:
        return
    most = max(clear, key=lambda e: gains[e.key].value)
    gain = gains[most.key]
    assert gain.interval is not None
    low, high = map(format_difference, gain.interval)
    other = {"euclidean": "cosine", "cosine": "euclidean"}[most.distance]
    yield Finding(
        f"By {'cosine' if other == 'cosine' else 'Euclidean distance'}, clearly more neighbors "
        f"would have the sample's label {_in(clear, experiments, most)}: "
        f"{format_difference(gain.value)} of all neighbors (95 % interval {low} to {high}). "
        f"To compare samples so, set neighbors.metric to {other}.",
        warning=True,
    )


def _lowest(measurement: Measurement) -> float:
    return -math.inf if measurement.interval is None else measurement.interval[0]


def _hubness(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    skewness = {e.key: e.value("hubness_skewness") for e in experiments}
    high = [e for e in experiments if skewness[e.key] >= HIGH]
    if not high:
        return
    worst = max(high, key=lambda e: skewness[e.key])
    antihubs = worst.value("hubness_antihubs")
    yield Finding(
        f"Hubness is high (skewness of {HIGH} or more) {_in(high, experiments, worst)}: "
        f"{format_value(skewness[worst.key])}, and {100 * antihubs:.0f} % of its samples are among "
        "nobody's nearest neighbors. Metrics of neighbors depend on few samples there.",
        warning=True,
    )


def _in(found: Sequence[Experiment], every: Sequence[Experiment], worst: Experiment) -> str:
    """Return in how many embeddings something was found, and in which most."""
    so_many = f"in {counted(len(found), len(every), 'embedding')}"
    return f"{so_many}, {'most in ' if len(found) > 1 else ''}{worst.key.name}"
