"""The metrics of one embedding as a page shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from latentmap.metrics.metric import known_metrics, title_of
from latentmap.report.experiments import (
    Experiment,
    format_chance,
    format_p,
    format_value,
    headline,
    metric_names,
    twins,
)


def defined_metrics(
    experiments: Sequence[Experiment],
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the metrics that are defined for any embedding, and the others by the reason why."""
    defined: list[str] = []
    undefined: dict[str, list[str]] = {}
    for name in metric_names(experiments):
        if any(not math.isnan(one.value(name)) for one in experiments):
            defined.append(name)
            continue
        notes = dict.fromkeys(one[name].note or "No reason is given." for one in experiments)
        undefined.setdefault(" ".join(notes), []).append(title_of(name))
    return defined, undefined


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
    """Return every metric that is defined for one experiment as the texts of a table row."""
    known = known_metrics()
    rows = []
    for name in defined_metrics([experiment])[0]:
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
                "p_value": format_p(measurement.p_value),
                "meaning": known[name].meaning if name in known else "",
                "note": measurement.note or "",
            }
        )
    return rows
