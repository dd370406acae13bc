"""What pages of one chart each have in common, and what charts of one encoder compare."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from latentmap.config import Registry
from latentmap.report.chart import CHARTS, Comparison, Scope, charts_of
from latentmap.report.experiments import best_of_each_encoder, experiments_of, ranked
from latentmap.report.page import Page
from latentmap.store.results import METRICS, Artifact, Key, Results, page_file

COMPARED = METRICS.beside_baselines


class ChartPages(Page):
    """Pages of which each shows one chart, whose name ends its key.

    Attributes:
        plugins: the charts.
    """

    plugins: ClassVar[Registry[Any]] = CHARTS

    def title_of(self, key: Key) -> str:
        """Return the chart's."""
        return str(self.plugins[key[-1]].title)

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return the chart."""
        return {key[-1]: key[-1]}


def comparison_file(scope: Scope) -> Artifact[str]:
    """Return the address of the pages of the charts of one scope, where they compare anything."""
    return page_file("{encoder}/{variant}/comparisons/{chart}.html", partial(_keys, scope))


def _keys(scope: Scope, results: Results) -> list[Key]:
    keys: list[Key] = []
    for encoder, variant in results.latents:
        methods = sum(key[:2] == (encoder, variant) for key in results.methods)
        baselines = len({*results.baselines} - {encoder})
        rivals = {"none": 1, "methods": methods - 1, "any": methods - 1 + baselines}
        names = charts_of(scope, results.facts.labelled)
        keys += [(encoder, variant, name) for name in names if rivals[CHARTS[name].rivals]]
    return keys


def comparison(results: Results, encoder: str, variant: str, **further: Any) -> Comparison:
    """Return what charts about one encoder and variant compare.

    Args:
        results: of which `COMPARED` can be read.
        encoder: name of the encoder.
        variant: name of the variant.
        further: the fields of `Comparison` beside its experiments.
    """
    experiments = experiments_of(results, COMPARED, encoder=encoder, variant=variant)
    own = [one for one in experiments if one.key.encoder == encoder]
    others = [one for one in experiments if one.key.encoder != encoder]
    return Comparison(ranked(own), best_of_each_encoder(others), **further)
