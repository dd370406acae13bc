"""Share of same-label neighbors against seconds, memory and bytes."""

from __future__ import annotations

import math

from latentmap.report.bars import measured
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import headline
from latentmap.report.frontier import BASELINE, METHOD, pareto_chart
from latentmap.report.lazy import alt

COSTS = {
    "seconds": "seconds to pool, find neighbors and measure",
    "peak_mb": "peak memory of these jobs, MB",
    "bytes": "bytes of the embedding's file",
}
SIZE = (290, 290)


class CostPareto(Chart):
    """One panel for each cost; the line joins the methods that none beats."""

    needs_labels = False
    title = "Pareto-optimal methods: seconds, memory, bytes"
    look_for = (
        "Methods on the line are Pareto-optimal: nothing cheaper is as good. Seconds and memory "
        "are those of this run's jobs on this machine, starting Python included; they vary from "
        "run to run, so points within a factor of two cost the same. Dashed: chance. Grey squares: "
        "the best method of each baseline."
    )
    scope = "costs"

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return a panel for each cost that is known of a method."""
        metric = headline(data.experiments)
        rows = [
            {
                "name": name,
                "kind": METHOD if experiment in data.experiments else BASELINE,
                **measured(experiment[metric]),
                **{name: getattr(data.costs[experiment.key], name) for name in COSTS},
            }
            for name, experiment in data.named
            if experiment.key in data.costs and not math.isnan(experiment.value(metric))
        ]
        return pareto_chart(rows, COSTS, metric, SIZE)
