"""The pages of one pooling method: a map for each projection, and its metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from latentmap.metrics.metric import HEADLINE, known_metrics
from latentmap.report.density import read_density
from latentmap.report.experiments import (
    Experiment,
    Key,
    format_chance,
    format_value,
    headline,
    metric_names,
    read_experiments,
    twins,
)
from latentmap.report.labels import read_labels
from latentmap.report.options import ReportOptions
from latentmap.report.pages import map_plate, write_page
from latentmap.report.points import read_points, read_shown_samples
from latentmap.report.trust import read_trust


def write_method_pages(
    key: Sequence[str],
    *,
    metrics: Path | str,
    projections: Mapping[str, Path | str],
    trust: Mapping[str, Path | str],
    weights: Path | str,
    samples: Sequence[Path | str],
    thumbnails: Sequence[Path | str],
    bundle: Path | str,
    labels: Path | str,
    options: ReportOptions,
    home: Path | str,
    pages: Mapping[str, Path | str],
    annotations: Path | str | None = None,
    headline: str = HEADLINE,
) -> None:
    """Write one page for each projection of a method.

    Args:
        key: (encoder, variant, method).
        metrics: its file of metrics.
        projections: its coordinates, by projection name.
        trust: the trust in them, by projection name.
        weights: sampling weights of the embedding, with its density.
        samples: shards of samples.
        thumbnails: their shards of thumbnails, in the same order.
        bundle: what `write_vega_bundle` wrote.
        labels: what `collect_labels` wrote.
        options: of the report.
        home: the summary, which the pages link to.
        pages: outputs, by projection name.
        annotations: what is joined to the samples, if anything is.
        headline: the metric by which methods are ranked.

    Raises:
        LatentmapError: an input does not belong to these samples.
    """
    key = Key(*key)
    (experiment,) = read_experiments([key], [metrics], headline)
    shown = read_shown_samples(samples, thumbnails, options.max_points, annotations)
    density = read_density(weights, shown)
    colors = read_labels(labels).colors
    for name, page in pages.items():
        plate = map_plate(
            "map",
            read_points(projections[name], shown),
            read_trust(trust[name], shown),
            density,
            shown,
            colors,
            title=f"{name} of {key.method} ({key.encoder}, {key.variant})",
        )
        write_page(
            page,
            "method.html",
            bundle=bundle,
            home=home,
            title=plate.title,
            samples=shown,
            colors=colors,
            key=key,
            plates=[plate],
            headlines=headline_metrics(experiment),
            others={other: path for other, path in pages.items() if other != name},
            rows=metric_rows(experiment),
        )


def headline_metrics(experiment: Experiment) -> list[tuple[str, str, str]]:
    """Return (value, what it is, chance) of the metrics that a page begins with."""
    known = known_metrics()
    return [
        (
            format_value(experiment.value(metric)),
            known[metric].meaning,
            format_value(experiment[metric].chance),
        )
        for metric in twins(headline([experiment]))
        if not math.isnan(experiment.value(metric))
    ]


def metric_rows(experiment: Experiment) -> list[dict[str, str]]:
    """Return every metric of one experiment as the texts of a table row."""
    known = known_metrics()
    rows = []
    for name in metric_names([experiment]):
        measurement = experiment[name]
        interval = measurement.interval and " to ".join(map(format_value, measurement.interval))
        rows.append(
            {
                "name": name,
                "value": format_value(measurement.value),
                "chance": format_chance(measurement),
                "interval": interval or "–",
                "p_value": format_value(measurement.p_value),
                "meaning": known[name].meaning if name in known else "",
                "note": measurement.note or "",
            }
        )
    return rows
