"""The summary: what a run found, in one page that leads to all the others."""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from latentmap.encode.calibration import Calibration, merge
from latentmap.metrics.metric import known_metrics
from latentmap.report.agreements import in_order, read_duplicates
from latentmap.report.annotations import annotation_warnings, read_joined
from latentmap.report.channel_chart import CHANNEL_CHARTS
from latentmap.report.chart import CHARTS, Comparison, charts_of
from latentmap.report.density import read_density
from latentmap.report.experiments import (
    Experiment,
    format_chance,
    format_value,
    headline,
    metric_names,
    read_experiments,
    twins,
)
from latentmap.report.findings import (
    Finding,
    findings_without_labels,
    key_findings,
    samples_without_labels,
)
from latentmap.report.labels import RunLabels, read_labels
from latentmap.report.neighbor_findings import neighbor_findings
from latentmap.report.options import ReportOptions
from latentmap.report.pages import Plate, chart_plates, map_plate, relative, write_page
from latentmap.report.points import ShownSamples, read_points, read_shown_samples
from latentmap.report.provenance import processor
from latentmap.report.source_comparisons import read_comparisons, source_findings
from latentmap.report.standings import (
    BEST,
    LOWER,
    MAY_BE_BEST,
    STANDING_COLUMNS,
    Standing,
    Standings,
    read_standings,
)
from latentmap.report.trust import read_trust
from latentmap.store.latents import read_metadata
from latentmap.store.manifest import read_manifest
from latentmap.store.tables import read_parquet


@dataclass
class Links:
    """The pages about one encoder and variant: (title, page), and by method and projection."""

    comparisons: list[tuple[str, Path | str]] = field(default_factory=list)
    methods: dict[str, dict[str, Path | str]] = field(default_factory=dict)


ONE_ROW = r"^line \d+: | at column \d+|(?s: \((?:id|byte|file) .*\)$)"
"""What a reason says of one row only: it is left out where rows are counted by their reason."""

REASONS = ("source", "action", "reason", "remedy")
"""Columns of the quarantine table by which its rows are counted."""


def write_summary(
    output: Path | str,
    *,
    config: Mapping[str, Any],
    labels: Path | str,
    baselines: Collection[str],
    options: ReportOptions,
    manifest: Path | str,
    samples: Sequence[Path | str],
    thumbnails: Sequence[Path | str],
    quarantine: Path | str,
    latents: Mapping[tuple[str, str], Sequence[Path | str]],
    keys: Sequence[Sequence[str]],
    metrics: Sequence[Path | str],
    ranking: Path | str,
    agreements: Mapping[tuple[str, str], Path | str],
    sources: Mapping[tuple[str, str, str], Path | str],
    map_keys: Sequence[Sequence[str]],
    projections: Sequence[Path | str],
    trust: Sequence[Path | str],
    weights: Sequence[Path | str],
    map_pages: Sequence[Path | str],
    comparisons: Mapping[tuple[str, str, str], Path | str],
    tables: Sequence[Path | str],
    left_out: Mapping[str, Mapping[str, str]],
    revisions: Mapping[str, str],
    commit: str,
    bundle: Path | str,
    annotations: Path | str | None = None,
) -> None:
    """Write the summary of a run.

    Args:
        output: the page.
        config: of the run, as plain values; shown as it is.
        labels: what `collect_labels` wrote.
        baselines: names of the encoders without learning.
        options: of the report.
        manifest: the list of shards.
        samples: the shards.
        thumbnails: their thumbnails, in the same order.
        quarantine: the table of rows that were repaired or set aside.
        latents: shards of latents by (encoder, variant); only their calibration is read.
        keys: (encoder, variant, method) of each file of metrics.
        metrics: the files of metrics, in the same order.
        ranking: the file of what is sure of the order.
        agreements: the files of how far methods agree, by (encoder, variant).
        sources: the files of how sources differ, by (encoder, variant, method); none where
            there is one source.
        map_keys: (encoder, variant, method, projection) of each map.
        projections: their coordinates, in the same order.
        trust: the trust in them, in the same order.
        weights: sampling weights of the mapped embeddings, in the same order.
        map_pages: their pages, in the same order.
        comparisons: pages by (encoder, variant, name).
        tables: files of the metrics table, which the page links to.
        left_out: by encoder, why methods that its latents are too small for are left out.
        revisions: what identifies the weights of each encoder, empty where it has none.
        commit: of the workflow.
        bundle: what `write_vega_bundle` wrote.
        annotations: what is joined to the samples, if anything is.

    Raises:
        LatentmapError: an input is damaged or does not belong to these samples.
    """
    experiments = in_order(read_experiments(keys, metrics, config["headline"]), agreements)
    standings = read_standings(ranking)
    joined = None if annotations is None else read_joined(annotations)
    calibrations = _calibrations(latents)
    shown = read_shown_samples(samples, thumbnails, options.max_points, annotations)
    run_labels = read_labels(labels)
    labelled, colors = bool(run_labels.labelled), run_labels.colors
    duplicates = {key: read_duplicates(path) for key, path in agreements.items()}
    maps = {
        (*key,): paths
        for key, *paths in zip(map_keys, projections, trust, weights, map_pages, strict=True)
    }
    pages = {key: page for key, (*_, page) in maps.items()}
    say = key_findings if labelled else findings_without_labels
    write_page(
        output,
        "summary.html",
        bundle=bundle,
        home=output,
        title=f"Latent spaces of {config['run']}",
        samples=shown,
        colors=colors,
        counts=_counts(shown, run_labels, experiments),
        alarms=_alarms(calibrations),
        findings=[
            *samples_without_labels(run_labels),
            *say(experiments, duplicates),
            *standings.findings(),
            *neighbor_findings(experiments),
            *source_findings(read_comparisons(list(sources), list(sources.values())), experiments),
            *_quarantine_warnings(quarantine),
            *annotation_warnings(joined),
        ],
        headline=headline(experiments),
        configured=config["headline"],
        labelled=labelled,
        leaders=_leaders(experiments, baselines) if labelled else [],
        columns=_columns(experiments, STANDING_COLUMNS if labelled else {}),
        rows=_rows(experiments, standings if labelled else None, pages),
        charts=_charts(Comparison(experiments, (), run_labels.group_of, calibrations=calibrations)),
        maps=_maps(experiments, maps, shown, colors, output),
        quarantine=_quarantine(quarantine),
        annotations=joined,
        pages=_links(experiments, comparisons, pages),
        tables=tables,
        config=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
        packages=_packages(),
        processor=processor(),
        left_out=left_out,
        revisions=revisions,
        commit=commit,
        shards=read_manifest(manifest),
    )


def _counts(shown: ShownSamples, labels: RunLabels, experiments: Sequence[Experiment]) -> str:
    encoders = {experiment.key.encoder for experiment in experiments}
    variants = {experiment.key.variant for experiment in experiments}
    methods = {experiment.key.method for experiment in experiments}
    parts = [
        (len(shown.ids), "sample"),
        (len(labels.labels), "label"),
        (sum(group.samples > 0 for group in labels.groups), "label group"),
        (len(encoders), "encoder"),
        (len(variants), "variant"),
        (len(methods), "pooling method"),
    ]
    if not labels.labelled:
        parts = [(count, noun) for count, noun in parts if "label" not in noun]
    return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in parts)


def _calibrations(
    latents: Mapping[tuple[str, str], Sequence[Path | str]],
) -> dict[tuple[str, str], Calibration]:
    """Return the calibration of all shards of each encoder and variant that has one."""
    found = {
        place: [read_metadata(path).get("calibration") for path in paths]
        for place, paths in latents.items()
    }
    parts = {
        place: [Calibration.from_json(value) for value in values if value is not None]
        for place, values in found.items()
    }
    return {place: merge(measured) for place, measured in parts.items() if measured}


def _alarms(calibrations: Mapping[tuple[str, str], Calibration]) -> list[str]:
    """Return one line for every encoder and variant whose latents are out of the model's range."""
    return [
        f"{encoder} ({variant}): {warning}"
        for (encoder, variant), calibration in calibrations.items()
        if (warning := calibration.warning()) is not None
    ]


def _quarantine(path: Path | str) -> list[dict[str, Any]]:
    """Return how many rows were noted, repaired or set aside, by source and reason."""
    table = _read(path).with_columns(pl.col("reason").str.replace_all(ONE_ROW, ""))
    return (
        table.group_by(REASONS)
        .agg(pl.sum("count"))
        .sort("count", *REASONS, descending=[True] + 4 * [False])
        .to_dicts()
    )


def _quarantine_warnings(path: Path | str) -> list[Finding]:
    counts = _read(path).group_by("action").agg(pl.sum("count"))
    actions = counts.sort("action").rows()
    if not actions:
        return []
    text = ", ".join(f"{count:,} {action}" for action, count in actions)
    return [Finding(f"Rows and files of the input to look at: {text}.", warning=True)]


def _read(quarantine: Path | str) -> pl.DataFrame:
    return pl.DataFrame(read_parquet(quarantine, [*REASONS, "count"]))


def _leaders(experiments: Sequence[Experiment], baselines: Collection[str]) -> list[dict[str, str]]:
    """Return the best method of every encoder and variant as the texts of a table row."""
    metric = headline(experiments)
    grouped, every = twins(metric)
    best: dict[tuple[str, ...], Experiment] = {}
    for experiment in experiments:
        best.setdefault(experiment.key[:2], experiment)
    return [
        {
            "encoder": e.key.encoder + (" (baseline)" if e.key.encoder in baselines else ""),
            "variant": e.key.variant,
            "method": e.key.method,
            "value": format_value(e.value(metric)),
            "chance": format_value(e[metric].chance),
            "ratio": format_value(_ratio(e, metric)),
            "lenient": format_value(e.value(every)),
            "gap": format_value(e.value(every) - e.value(grouped)),
        }
        for e in best.values()
    ]


def _ratio(experiment: Experiment, metric: str) -> float:
    chance = experiment[metric].chance
    return experiment.value(metric) / chance if chance else math.nan


def _columns(
    experiments: Sequence[Experiment], standing: Mapping[str, str]
) -> list[dict[str, str]]:
    known = known_metrics()
    better = {"higher": "higher is better", "lower": "lower is better"}
    columns = [
        {"name": name, "meaning": "", "kind": "text"} for name in ("encoder", "variant", "method")
    ]
    columns += [
        {"name": name, "meaning": f"{meaning}; {headline(experiments)}", "kind": "number"}
        for name, meaning in standing.items()
    ]
    for name in metric_names(experiments):
        metric = known.get(name)
        parts = [metric.meaning, better.get(metric.better or "", "")] if metric else []
        columns.append({"name": name, "meaning": "; ".join(filter(None, parts)), "kind": "number"})
    return columns


def _rows(
    experiments: Sequence[Experiment],
    standings: Standings | None,
    pages: Mapping[tuple[str, ...], Path | str],
) -> list[dict[str, Any]]:
    names = metric_names(experiments)
    first = {key[:3]: page for key, page in reversed(list(pages.items()))}
    return [
        {
            "key": experiment.key,
            "page": first.get(experiment.key),
            "cells": [
                *(_standing_cells(standings.of(experiment.key)) if standings else ()),
                *(_cell(experiment, name) for name in names),
            ],
        }
        for experiment in experiments
    ]


def _standing_cells(standing: Standing) -> list[dict[str, str]]:
    p_value = standing.p_adjusted
    order = {BEST: 0, MAY_BE_BEST: 1, LOWER: 2}.get(standing.against_best, "")
    return [
        {
            "text": format_value(p_value),
            "sort": "" if p_value is None else repr(p_value),
            "details": "",
        },
        {"text": standing.against_best, "sort": str(order), "details": ""},
    ]


def _cell(experiment: Experiment, metric: str) -> dict[str, str]:
    measurement = experiment[metric]
    details = []
    if measurement.chance is not None:
        details.append(f"chance {format_chance(measurement)}")
    if measurement.interval is not None:
        low, high = measurement.interval
        details.append(f"95 % interval {format_value(low)} to {format_value(high)}")
    if measurement.p_value is not None:
        details.append(f"p = {format_value(measurement.p_value)}")
    if measurement.note:
        details.append(measurement.note)
    undefined = math.isnan(measurement.value)
    return {
        "text": format_value(measurement.value),
        "sort": "" if undefined else repr(measurement.value),
        "details": "; ".join(details),
    }


def _charts(data: Comparison) -> list[Plate]:
    names = charts_of("summary")
    return [plate for name in names for plate in chart_plates(name, CHARTS.create(name), data)]


def _maps(
    experiments: Sequence[Experiment],
    maps: Mapping[tuple[str, ...], Sequence[Path | str]],
    shown: ShownSamples,
    colors: Mapping[str, str],
    output: Path | str,
) -> list[Plate]:
    """Return, for each encoder, variant and projection, the map of its best mapped method."""
    order = [experiment.key for experiment in experiments]
    best: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for key in sorted(maps, key=lambda key: order.index(key[:3])):  # type: ignore[arg-type]
        best.setdefault((key[0], key[1], key[3]), key)
    chosen = [key for key in maps if key in best.values()]
    plates = []
    for number, key in enumerate(chosen):
        encoder, variant, method, projection = key
        coordinates, trust, weights, page = maps[key]
        plate = map_plate(
            f"map-{number}",
            read_points(coordinates, shown),
            read_trust(trust, shown),
            read_density(weights, shown),
            shown,
            colors,
            title=f"{projection} of {method} ({encoder}, {variant})",
            size=(320, 280),
            link=relative(page, output),
        )
        plates.append(plate)
    return plates


def _links(
    experiments: Sequence[Experiment],
    comparisons: Mapping[tuple[str, str, str], Path | str],
    map_pages: Mapping[tuple[str, ...], Path | str],
) -> dict[tuple[str, str], Links]:
    """Return the pages about every encoder and variant."""
    links = {
        (encoder, variant): Links() for encoder, variant in sorted({e.key[:2] for e in experiments})
    }
    for (encoder, variant, name), page in comparisons.items():
        links[encoder, variant].comparisons.append((_page_title(name), page))
    for (encoder, variant, method, projection), page in map_pages.items():
        links[encoder, variant].methods.setdefault(method, {})[projection] = page
    return links


def _page_title(name: str) -> str:
    if name in CHARTS.names():
        return CHARTS[name].title
    if name in CHANNEL_CHARTS.names():
        return CHANNEL_CHARTS[name].title
    return {
        "maps": "Maps side by side",
        "nearest_neighbors": "Nearest neighbors",
        "sources": "Sources compared",
    }[name]


def _packages() -> dict[str, str]:
    """Return the versions of Python, latentmap and what it depends on."""
    declared = [text for text in requires("latentmap") or [] if "extra ==" not in text]
    names = sorted({re.split(r"[^A-Za-z0-9._-]", text)[0] for text in declared}, key=str.lower)
    return {"Python": platform.python_version()} | {
        name: version(name) for name in ("latentmap", *names)
    }
