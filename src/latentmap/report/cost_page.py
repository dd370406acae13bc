"""The costs of a run: a table of all jobs, and a page for each encoder and variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl

from latentmap.metrics.metric import HEADLINE
from latentmap.report.chart import CHARTS, Comparison
from latentmap.report.costs import ENCODING, Cost, Work, method_costs, tabulate_costs
from latentmap.report.experiments import (
    Experiment,
    best_of_each_encoder,
    format_value,
    has_labels,
    ranked,
    read_experiments,
)
from latentmap.report.pages import chart_plates, write_page
from latentmap.store.files import write_plain_json, write_text

CHART = "cost_pareto"
FilePath = Path | str

SCHEMA = {
    "encoder": pl.String,
    "variant": pl.String,
    "method": pl.String,
    "stage": pl.String,
    "jobs": pl.Int64,
    "seconds": pl.Float64,
    "cpu_seconds": pl.Float64,
    "peak_mb": pl.Float64,
    "bytes": pl.Int64,
    "note": pl.String,
}


def write_costs(
    works: Sequence[Work],
    *,
    keys: Sequence[Sequence[str]],
    metrics: Sequence[FilePath],
    baselines: Sequence[str],
    csv: FilePath,
    json: FilePath,
    pages: Mapping[tuple[str, str], FilePath],
    bundle: FilePath,
    home: FilePath,
    headline: str = HEADLINE,
) -> None:
    """Write what every stage of every method cost, and what metrics it bought.

    Args:
        works: the jobs of every stage.
        keys: (encoder, variant, method) of each file of metrics.
        metrics: the files of metrics, in the same order.
        baselines: names of the encoders without learning.
        csv: output; one row for each stage of each method, empty where nothing was measured.
        json: output; the same as a list of records.
        pages: outputs, by encoder and variant.
        bundle: what `write_vega_bundle` wrote.
        home: the summary, which the pages link to.
        headline: the metric by which methods are ranked.
    """
    costs = tabulate_costs(works)
    records = [asdict(cost) for cost in costs]
    write_text(csv, pl.DataFrame(records, schema=SCHEMA).write_csv())
    write_plain_json(json, records)
    experiments = read_experiments(keys, metrics, headline)
    chart = CHARTS.create(CHART)
    for (encoder, variant), page in pages.items():
        data = _comparison(experiments, costs, encoder, variant, baselines)
        write_page(
            page,
            "costs.html",
            bundle=bundle,
            home=home,
            title=f"{chart.title} ({encoder}, {variant})",
            labelled=has_labels(experiments),
            plates=chart_plates(CHART, chart, data),
            tables=[csv, json],
            rows=_rows([c for c in costs if (c.encoder, c.variant) == (encoder, variant)]),
        )


def _comparison(
    experiments: Sequence[Experiment],
    costs: Sequence[Cost],
    encoder: str,
    variant: str,
    baselines: Sequence[str],
) -> Comparison:
    """Return the methods of one encoder and variant, against the best of the other baselines."""
    own = [e for e in experiments if e.key[:2] == (encoder, variant)]
    rivals = [
        e
        for e in experiments
        if e.key.encoder in baselines and e.key.encoder != encoder and e.key.variant == variant
    ]
    return Comparison(ranked(own), best_of_each_encoder(rivals), {}, costs=method_costs(costs))


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
