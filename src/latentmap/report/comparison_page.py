"""The pages that compare the pooling methods of one encoder and variant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentmap.metrics.metric import HEADLINE
from latentmap.report.agreements import read_agreement
from latentmap.report.chart import CHARTS, Comparison
from latentmap.report.density import read_density
from latentmap.report.experiments import best_of_each_encoder, ranked, read_experiments
from latentmap.report.labels import read_labels
from latentmap.report.options import ReportOptions
from latentmap.report.pages import chart_plates, map_plate, write_page
from latentmap.report.points import read_points, read_shown_samples
from latentmap.report.trust import read_trust


def write_comparison_page(
    chart: str,
    output: Path | str,
    *,
    encoder: str,
    variant: str,
    keys: Sequence[Sequence[str]],
    metrics: Sequence[Path | str],
    agreement: Path | str,
    map_agreement: Path | str,
    labels: Path | str,
    bundle: Path | str,
    home: Path | str,
    headline: str = HEADLINE,
) -> None:
    """Write one chart over the methods of one encoder and variant.

    Args:
        chart: name of the chart.
        output: the page.
        encoder: whose methods.
        variant: of the images.
        keys: (encoder, variant, method) of each file of metrics; those of other encoders
            are baselines.
        metrics: the files of metrics, in the same order.
        agreement: the file of how far the methods of this encoder and variant agree.
        map_agreement: the same of their maps.
        labels: what `collect_labels` wrote.
        bundle: what `write_vega_bundle` wrote.
        home: the summary, which the page links to.
        headline: the metric by which methods are ranked.
    """
    experiments = read_experiments(keys, metrics, headline)
    own = [e for e in experiments if e.key[:2] == (encoder, variant)]
    others = [e for e in experiments if e.key.encoder != encoder]
    plugin = CHARTS.create(chart)
    data = Comparison(
        ranked(own),
        best_of_each_encoder(others),
        read_labels(labels).group_of,
        agreement=read_agreement(agreement, map_agreement),
    )
    write_page(
        output,
        "comparison.html",
        bundle=bundle,
        home=home,
        title=f"{plugin.title} ({encoder}, {variant})",
        plates=chart_plates(chart, plugin, data),
    )


def write_maps_page(
    output: Path | str,
    *,
    encoder: str,
    variant: str,
    maps: Sequence[tuple[str, str]],
    projections: Sequence[Path | str],
    trust: Sequence[Path | str],
    weights: Sequence[Path | str],
    samples: Sequence[Path | str],
    thumbnails: Sequence[Path | str],
    labels: Path | str,
    options: ReportOptions,
    bundle: Path | str,
    home: Path | str,
    annotations: Path | str | None = None,
) -> None:
    """Write all maps of one encoder and variant side by side, one row for each method.

    Args:
        output: the page.
        encoder: whose maps.
        variant: of the images.
        maps: (method, projection) of each map, in reading order.
        projections: their coordinates, in the same order.
        trust: the trust in them, in the same order.
        weights: sampling weights of the mapped embeddings, in the same order.
        samples: shards of samples.
        thumbnails: their shards of thumbnails, in the same order.
        labels: what `collect_labels` wrote.
        options: of the report.
        bundle: what `write_vega_bundle` wrote.
        home: the summary, which the page links to.
        annotations: what is joined to the samples, if anything is.

    Raises:
        LatentmapError: an input does not belong to these samples.
    """
    shown = read_shown_samples(samples, thumbnails, options.max_points, annotations)
    colors = read_labels(labels).colors
    plates = [
        map_plate(
            f"map-{number}",
            read_points(path, shown),
            read_trust(trusted, shown),
            read_density(weighted, shown),
            shown,
            colors,
            title=f"{projection} of {method}",
            size=(320, 280),
        )
        for number, ((method, projection), path, trusted, weighted) in enumerate(
            zip(maps, projections, trust, weights, strict=True)
        )
    ]
    write_page(
        output,
        "maps.html",
        bundle=bundle,
        home=home,
        title=f"Maps side by side ({encoder}, {variant})",
        samples=shown,
        colors=colors,
        plates=plates,
    )
