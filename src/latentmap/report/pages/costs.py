"""The pages of what methods cost, one for each encoder and variant, and a table of all jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import polars as pl

from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.report.chart import CHARTS, charts_of
from latentmap.report.chart_pages import COMPARED, ChartPages, comparison, comparison_file
from latentmap.report.costs import ENCODING, Cost, jobs_of, method_costs, tabulate_costs
from latentmap.report.experiments import format_value, has_labels
from latentmap.report.page import Content, Scope
from latentmap.report.plates import chart_plates
from latentmap.store.files import write_plain_json, write_text
from latentmap.store.results import (
    COSTS_CSV,
    COSTS_JSON,
    EMBEDDING,
    LATENTS,
    NEIGHBORS,
    PROJECTION,
    Key,
    Results,
)


class Costs(ChartPages):
    """What every stage of every method cost, and what metrics it bought."""

    title = "Costs"
    category = "Costs"
    file = comparison_file("costs")
    scope = Scope.RUN
    reads = (LATENTS, EMBEDDING, NEIGHBORS, COMPARED, PROJECTION)
    configured_by = ("headline",)
    shows = (METRIC_PLUGINS,)
    also_writes = (COSTS_CSV, COSTS_JSON)

    def title_of(self, key: Key) -> str:
        """Return what its table is about: without labels there is no chart."""
        return self.title

    def write(self, results: Results, **where: str) -> None:
        """Write the pages, and the table of all jobs as CSV and JSON."""
        records = [asdict(cost) for cost in tabulate_costs(jobs_of(results))]
        write_text(
            results.address(COSTS_CSV), pl.DataFrame(records, infer_schema_length=None).write_csv()
        )
        write_plain_json(results.address(COSTS_JSON), records)
        super().write(results, **where)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the page of each encoder and variant."""
        costs = tabulate_costs(jobs_of(results))
        for encoder, variant, name in keys:
            data = comparison(results, encoder, variant, costs=method_costs(costs))
            chart = CHARTS.create(name)
            here = [c for c in costs if (c.encoder, c.variant) == (encoder, variant)]
            yield Content(
                f"{self.title} ({encoder}, {variant})",
                {
                    "labelled": has_labels(data.experiments),
                    "plates": chart_plates(name, chart, data),
                    "tables": [results.address(COSTS_CSV), results.address(COSTS_JSON)],
                    "rows": _rows(here),
                },
            )

    def modules(self, **where: str) -> list[str]:
        """Return the metrics, and the charts of costs."""
        return [*super().modules(), *map(CHARTS.module, charts_of("costs"))]


def _rows(costs: Sequence[Cost]) -> list[dict[str, object]]:
    """Return the texts of the table's rows, each number with what it sorts by."""
    return [
        {
            "method": "encoding" if cost.method == ENCODING else cost.method,
            "stage": cost.stage,
            "numbers": [
                ("" if number is None else number, format_value(number))
                for number in (
                    cost.jobs,
                    cost.seconds,
                    cost.cpu_seconds,
                    cost.peak_mb,
                    cost.bytes / 2**20,
                )
            ],
            "note": cost.note,
        }
        for cost in costs
    ]
