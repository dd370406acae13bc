"""Heatmap of labels against pooling methods: which method finds which label."""

from __future__ import annotations

import math
from typing import Any

from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import LabelRates, of_labels
from latentmap.report.lazy import alt
from latentmap.report.matrix import diverging, label_axis, matrix

CELL = (30, 20)


class CategoryHeatmap(Chart):
    """Each label's same-label share of neighbors, beyond its chance level."""

    title = "kNN label purity by label and method"
    look_for = (
        "Orange rows are labels that every method finds; single orange cells are labels that only "
        "one method separates. White is chance, blue is below chance. Numbers are percent."
    )

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return a matrix with labels as rows, by group, and methods as columns, best first."""
        metric = of_labels(data.experiments)
        rows = [
            _cell(name, label, rates, metric, data.label_groups)
            for name, experiment in data.named
            for label, rates in experiment.labels.items()
        ]
        rows = [row for row in rows if not math.isnan(row["beyond"])]
        if not rows:
            return None
        methods = [name for name, _ in data.named]
        groups = {row["label"]: row["group"] for row in rows}
        order = list(dict.fromkeys([*data.label_groups.values(), *sorted(groups.values())]))
        labels = sorted(groups, key=lambda label: (order.index(groups[label]), label))
        reach = max(abs(row["beyond"]) for row in rows) or 1.0
        return matrix(
            rows,
            x=alt.X(
                "method:N",
                scale=alt.Scale(domain=methods),
                title=None,
                axis=alt.Axis(orient="top", labelAngle=-45, domain=False, ticks=False),
            ),
            y=label_axis("label", labels),
            color=diverging("beyond", reach, "share beyond chance"),
            tooltip=[
                *(alt.Tooltip(f"{name}:N") for name in ("method", "label", "group")),
                alt.Tooltip("n:Q"),
                *(
                    alt.Tooltip(f"{name}:Q", format=".3f")
                    for name in ("rate", "low", "high", "chance", "beyond", "all_others")
                ),
            ],
            text=alt.Text("percent:Q", format=".0f"),
            light=f"abs(datum.beyond) > {0.65 * reach}",
            cell=CELL,
            description=(
                "Matrix of labels and pooling methods: percent of a label's nearest neighbors "
                "with that label, coloured by how far it is from chance."
            ),
        )

    def note(self, data: Comparison) -> str:
        """Say which columns are baselines."""
        count = len(data.references)
        if not count:
            return ""
        which = "column is" if count == 1 else f"{count} columns are"
        return f"The last {which} the best method of {'a' if count == 1 else 'each'} baseline."


def _cell(
    method: str,
    label: str,
    rates: LabelRates,
    metric: str,
    label_groups: dict[str, str] | Any,
) -> dict[str, Any]:
    found, every = rates.on(metric), rates.every.share
    low, high = found.interval or (None, None)
    return {
        "method": method,
        "label": label,
        "group": label_groups.get(label, label),
        "n": rates.n,
        "rate": found.share,
        "low": low,
        "high": high,
        "percent": 100 * found.share,
        "chance": found.chance,
        "beyond": found.share - found.chance,
        "all_others": None if math.isnan(every) else every,
    }
