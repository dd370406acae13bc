"""Bars of the ranking metric: every pooling method under every encoder and variant."""

from __future__ import annotations

from latentmap.metrics.metric import title_of
from latentmap.report.bars import bar_rows, bars, extent, panels, say_light_bars
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import headline, twins
from latentmap.report.lazy import alt

COLUMNS = 3
WIDTH = 250


class OverviewBars(Chart):
    """One column of bars for each encoder and variant; methods in one order in all of them."""

    title = "kNN label purity of every method"
    look_for = (
        "Bars should exceed the orange tick of chance, the light orange range around it, where "
        "95 % of permuted labels lie, and the bars of the baselines, which are grey."
    )
    scope = "summary"

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return columns of horizontal bars on one scale, methods by their best result."""
        name = title_of(headline(data.experiments))
        methods = list(dict.fromkeys(e.key.method for e in data.experiments))
        named = [(e.key.method, e) for e in data.experiments]
        _, metric = twins(headline(data.experiments))
        domain = extent(bar_rows(named, metric))
        charts = {}
        for place in sorted({e.key[:2] for e in data.experiments}):
            own = [(method, e) for method, e in named if e.key[:2] == place]
            shown = [method for method in methods if method in dict(own)]
            is_baseline = place[0] in data.baselines
            if rows := bar_rows(own, metric):
                charts[", ".join(place) + (" (baseline)" if is_baseline else "")] = bars(
                    rows,
                    shown,
                    domain=domain,
                    baselines=shown if is_baseline else (),
                    title=name,
                )
        return panels(charts, WIDTH, COLUMNS, f"Bars of {name} by encoder, variant and method.")

    def note(self, data: Comparison) -> str:
        """Say what light bars are, if there are any."""
        return say_light_bars(data.named, twins(headline(data.experiments))[1])
