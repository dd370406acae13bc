"""Share of same-label neighbors against the tokens and dimensions that it takes."""

from __future__ import annotations

import math
from typing import Any

from latentmap.report.bars import measured
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import Experiment, headline
from latentmap.report.frontier import BASELINE, METHOD, pareto_chart
from latentmap.report.lazy import alt

COSTS = {"n_tokens": "tokens given to a model", "n_dimensions": "dimensions of the embedding"}


class ParetoFrontier(Chart):
    """One panel for tokens and one for dimensions; the line joins the methods that none beats."""

    title = "Pareto-optimal methods: tokens, dimensions"
    look_for = (
        "Methods on the line are Pareto-optimal: nothing smaller is as good. A method far below "
        "the line is large for what it keeps; points near the dashed line of chance, or below a "
        "grey square (the best method of a baseline), show nothing at any size. Thin grey lines "
        "are 95 % intervals; the orange band is where 95 % of permuted labels lie for the first "
        "method."
    )
    rivals = "any"

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return a panel for each size that was measured."""
        metric = headline(data.experiments)
        rows = [
            _row(name, METHOD if e in data.experiments else BASELINE, e, metric)
            for name, e in data.named
            if not math.isnan(e.value(metric))
        ]
        return pareto_chart(rows, COSTS, metric)


def _row(name: str, kind: str, experiment: Experiment, metric: str) -> dict[str, Any]:
    sizes = {cost: experiment.value(cost) for cost in COSTS}
    return {"name": name, "kind": kind, **measured(experiment[metric]), **sizes}
