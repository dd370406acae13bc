"""The pages that compare the pooling methods of one encoder and variant: one for each chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.report.agreements import read_agreement
from latentmap.report.chart import CHARTS, Comparison, charts_of
from latentmap.report.experiments import best_of_each_encoder, experiments_of, ranked
from latentmap.report.labels import read_labels
from latentmap.report.page import Content, Page, Scope
from latentmap.report.plates import chart_plates
from latentmap.store.results import (
    AGREEMENT,
    LABELS,
    MAP_AGREEMENT,
    METRICS,
    Key,
    Results,
    page_file,
)


def _charts(results: Results) -> list[Key]:
    names = charts_of("comparisons", results.facts.labelled)
    return [(*key, name) for key in results.latents for name in names]


class Comparisons(Page):
    """One chart over the methods of one encoder and variant, held against the baselines."""

    title = "Comparison"
    category = "Comparisons"
    file = page_file("{encoder}/{variant}/comparisons/{chart}.html", _charts)
    scope = Scope.CHART
    reads = (METRICS.beside_baselines, AGREEMENT, MAP_AGREEMENT, LABELS)
    configured_by = ("headline",)
    shows = (METRIC_PLUGINS,)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the chart."""
        ((encoder, variant, chart),) = keys
        where = {"encoder": encoder, "variant": variant}
        experiments = experiments_of(results, METRICS.beside_baselines, **where)
        own = [e for e in experiments if e.key[:2] == (encoder, variant)]
        others = [e for e in experiments if e.key.encoder != encoder]
        places = (
            results.path(artifact, encoder, variant) for artifact in (AGREEMENT, MAP_AGREEMENT)
        )
        data = Comparison(
            ranked(own),
            best_of_each_encoder(others),
            read_labels(results.path(LABELS)).group_of,
            agreement=read_agreement(*places),
        )
        plugin = CHARTS.create(chart)
        plates = chart_plates(chart, plugin, data)
        yield Content(f"{plugin.title} ({encoder}, {variant})", {"plates": plates})

    def title_of(self, key: Key) -> str:
        """Return the chart's."""
        return CHARTS[key[2]].title

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return the chart."""
        return {key[2]: key[2]}

    def modules(self, **where: str) -> list[str]:
        """Return the metrics, and this chart."""
        return [*super().modules(), CHARTS.module(where["chart"])]
