"""What to know where some labels are much more frequent than others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from latentmap.metrics.metric import title_of
from latentmap.report.experiments import Experiment, averages, format_value, headline
from latentmap.report.findings import Finding

MAJORITY = 0.5
"""A label with a larger share of the samples than this decides the means over samples."""


def imbalance_findings(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    """Yield what the frequencies of labels mean for the metrics of these embeddings."""
    if experiments:
        yield from _majority(experiments[0])
        yield from _other_average(experiments)


def _majority(experiment: Experiment) -> Iterator[Finding]:
    """Say that one label has most of the samples; the labels of a run are those of any method."""
    sizes = {label: rates.n for label, rates in experiment.labels.items()}
    total = sum(sizes.values())
    frequent = max(sizes, key=sizes.__getitem__, default="")
    if len(sizes) > 1 and sizes[frequent] > MAJORITY * total:
        yield Finding(
            f"{100 * sizes[frequent] / total:.0f} % of the samples have the label '{frequent}'. "
            "Means over samples mostly say how well it is found; macro averages and balanced "
            "accuracies count every label alike.",
            warning=True,
        )


def _other_average(experiments: Sequence[Experiment]) -> Iterator[Finding]:
    """Say if another embedding is best where labels, not samples, count alike, or the reverse."""
    metric = headline(experiments)
    micro, macro = averages(metric)
    other = micro if metric == macro else macro
    both = [e for e in experiments if not any(math.isnan(e.value(m)) for m in (metric, other))]
    if not both:
        return
    best, rival = (max(both, key=lambda e: e.value(m)) for m in (metric, other))
    if best.value(other) < rival.value(other):
        parts = ("samples", "labels") if metric == micro else ("labels", "samples")
        yield Finding(
            f"Averaged over {parts[1]} instead of {parts[0]} ({title_of(other)}), "
            f"{rival.key.name} would come first instead of {best.key.name}: "
            f"{_with_interval(rival, other)} against {_with_interval(best, other)}.",
            warning=True,
        )


def _with_interval(experiment: Experiment, metric: str) -> str:
    found = experiment[metric]
    if found.interval is None:
        return format_value(found.value)
    low, high = map(format_value, found.interval)
    return f"{format_value(found.value)} (95 % interval {low} to {high})"
