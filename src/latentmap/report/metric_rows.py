"""The metrics of one embedding as a page shows them."""

from __future__ import annotations

import math

from latentmap.metrics.metric import known_metrics, title_of
from latentmap.report.experiments import (
    Experiment,
    format_chance,
    format_value,
    headline,
    metric_names,
    twins,
)


def headline_metrics(experiment: Experiment) -> list[tuple[str, str, str]]:
    """Return (value, what it is, chance) of the metrics that a page begins with."""
    return [
        (
            format_value(experiment.value(metric)),
            title_of(metric),
            format_value(experiment[metric].chance),
        )
        for metric in twins(headline([experiment]))
        if not math.isnan(experiment.value(metric))
    ]


def metric_rows(experiment: Experiment) -> list[dict[str, str]]:
    """Return every metric of one experiment as the texts of a table row."""
    known = known_metrics()
    rows = []
    for name in metric_names([experiment]):
        measurement = experiment[name]
        interval = measurement.interval and " to ".join(map(format_value, measurement.interval))
        rows.append(
            {
                "key": name,
                "name": title_of(name),
                "value": format_value(measurement.value),
                "chance": format_chance(measurement),
                "effect": format_value(measurement.effect),
                "interval": interval or "–",
                "p_value": format_value(measurement.p_value),
                "meaning": known[name].meaning if name in known else "",
                "note": measurement.note or "",
            }
        )
    return rows
