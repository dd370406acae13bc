"""The pages that compare the pooling methods of one encoder and variant: one for each chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.report.agreements import read_agreement
from latentmap.report.chart import CHARTS, charts_of
from latentmap.report.chart_pages import COMPARED, ChartPages, comparison, comparison_file
from latentmap.report.labels import read_labels
from latentmap.report.page import Content, Scope
from latentmap.report.plates import chart_plates
from latentmap.store.results import AGREEMENT, LABELS, MAP_AGREEMENT, Key, Results


class Comparisons(ChartPages):
    """A page for each chart over the methods of an encoder and variant, beside the baselines."""

    title = "Comparison"
    category = "Comparisons"
    file = comparison_file("comparisons")
    scope = Scope.RUN
    reads = (COMPARED, AGREEMENT, MAP_AGREEMENT, LABELS)
    configured_by = ("headline",)
    shows = (METRIC_PLUGINS,)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the charts of each encoder and variant."""
        group_of = read_labels(results.path(LABELS)).group_of
        for (encoder, variant), own in groupby(keys, lambda key: key[:2]):
            places = (results.path(file, encoder, variant) for file in (AGREEMENT, MAP_AGREEMENT))
            agreement = read_agreement(*places)
            data = comparison(results, encoder, variant, label_groups=group_of, agreement=agreement)
            for *_, name in own:
                plugin = CHARTS.create(name)
                plates = chart_plates(name, plugin, data)
                yield Content(f"{plugin.title} ({encoder}, {variant})", {"plates": plates})

    def modules(self, **where: str) -> list[str]:
        """Return the metrics, and the charts that stand here."""
        return [*super().modules(), *map(CHARTS.module, charts_of("comparisons"))]
