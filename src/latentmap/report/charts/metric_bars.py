"""Bars of the main metrics of every pooling method, with their chance levels."""

from __future__ import annotations

from latentmap.metrics.metric import GROUPED as GROUPED_END
from latentmap.metrics.metric import known_metrics, title_of, with_others
from latentmap.report.bars import bar_rows, bars, panels, say_light_bars
from latentmap.report.chart import Chart, Comparison
from latentmap.report.experiments import distinct, headline
from latentmap.report.lazy import alt

FIRST = (
    *("knn_category_acc", "knn_group_acc"),
    "silhouette",
    "distance_ratio",
    "f_ratio",
    "davies_bouldin",
    "calinski_harabasz",
    "effective_dim_90",
)
WIDTH = 400


class MetricBars(Chart):
    """One panel for each metric; methods in the same order, best first, in all of them."""

    title = "All methods, metric by metric"
    look_for = (
        "Methods are in the same order in every panel, best first. Thin lines are 95 % intervals, "
        "the orange tick is chance, and the light orange range is where 95 % of permuted labels "
        "lie."
    )

    def build(self, data: Comparison) -> alt.TopLevelMixin | None:
        """Return panels of horizontal bars."""
        named = data.named
        names = [name for name, _ in named]
        baselines = names[len(data.experiments) :]
        charts = {
            _title(metric): bars(
                rows,
                names,
                by="neighbors" if metric + GROUPED_END in known_metrics() else "",
                baselines=baselines,
            )
            for metric in distinct(with_others(FIRST), [experiment for _, experiment in named])
            if (rows := bar_rows(named, metric))
        }
        described = f"Bars of each method's metrics, sorted by {headline(data.experiments)}."
        return panels(charts, WIDTH, 2, described)

    def note(self, data: Comparison) -> str:
        """Say what light bars are, if there are any."""
        return say_light_bars(data.named, FIRST[0])


def _title(name: str) -> str:
    better = known_metrics()[name].better if name in known_metrics() else None
    return title_of(name) if better is None else f"{title_of(name)} ({better} is better)"
