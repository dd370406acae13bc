"""The pages that compare the pooling methods of one encoder and variant: one for each chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.report.agreements import read_agreement
from latentmap.report.chart import CHARTS
from latentmap.report.chart_pages import COMPARED, ChartPages, comparison, comparison_file
from latentmap.report.labels import read_labels
from latentmap.report.page import Content, Scope
from latentmap.report.plates import chart_plates
from latentmap.store.results import AGREEMENT, LABELS, MAP_AGREEMENT, Key, Results


class Comparisons(ChartPages):
    """One chart over the methods of one encoder and variant, held against the baselines."""

    title = "Comparison"
    category = "Comparisons"
    file = comparison_file("comparisons")
    scope = Scope.CHART
    reads = (COMPARED, AGREEMENT, MAP_AGREEMENT, LABELS)
    configured_by = ("headline",)
    shows = (METRIC_PLUGINS,)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the chart."""
        ((encoder, variant, chart),) = keys
        places = (results.path(file, encoder, variant) for file in (AGREEMENT, MAP_AGREEMENT))
        data = comparison(
            results,
            encoder,
            variant,
            label_groups=read_labels(results.path(LABELS)).group_of,
            agreement=read_agreement(*places),
        )
        plugin = CHARTS.create(chart)
        plates = chart_plates(chart, plugin, data)
        yield Content(f"{plugin.title} ({encoder}, {variant})", {"plates": plates})

    def modules(self, **where: str) -> list[str]:
        """Return the metrics, and this chart."""
        return [*super().modules(), CHARTS.module(where["chart"])]
