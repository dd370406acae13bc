"""The summary: what a run found, in one page that leads to all the others."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from latentmap.encode.calibration import Calibration, merge
from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.metrics.metric import title_of
from latentmap.report.agreements import in_order, read_duplicates
from latentmap.report.annotations import annotation_warnings, read_joined
from latentmap.report.channel_chart import CHANNEL_CHARTS
from latentmap.report.chart import CHARTS, Comparison, charts_of
from latentmap.report.experiments import (
    Experiment,
    experiments_of,
    headline,
    is_ranked,
    joined_variants,
    told_once,
)
from latentmap.report.findings import (
    Finding,
    findings_without_labels,
    key_findings,
    samples_without_labels,
)
from latentmap.report.imbalance import imbalance_findings
from latentmap.report.kept.findings import family_findings
from latentmap.report.kept.heatmap import heatmap
from latentmap.report.kept.pairs import direction_findings, read_pairs
from latentmap.report.kept.table import read_kept
from latentmap.report.labels import RunLabels, read_labels
from latentmap.report.leaderboard import leaderboard
from latentmap.report.learning import read_learning
from latentmap.report.neighbor_findings import neighbor_findings
from latentmap.report.page import PAGES, Content, Page, Scope, listed_pages, relative
from latentmap.report.plates import MAP_OPTIONS, MAP_READS, SMALL, MapPlates, Plate, chart_plates
from latentmap.report.provenance import commit_of, processor
from latentmap.report.source_comparisons import read_comparisons, source_findings
from latentmap.report.standings import read_standings
from latentmap.report.verdict import verdict
from latentmap.samples.remarks import NOT_USED, NOTED, PASSED_OVER
from latentmap.store import results as book
from latentmap.store.latents import read_metadata
from latentmap.store.results import Key, Results
from latentmap.store.tables import read_parquet


@dataclass
class Links:
    """Pages about the run, or one encoder and variant: (title, page), by method and projection."""

    comparisons: list[tuple[str, Path]] = field(default_factory=list)
    methods: dict[str, dict[str, Path]] = field(default_factory=dict)


CHECKOUT = Path(__file__).parents[4]
"""The folder that holds `src`, if latentmap runs from a checkout."""

ONE_ROW = r"^line \d+: | at column \d+|(?s: \((?:id|byte|file|it is) .*\)$)"
"""What a reason says of one row only: it is left out where rows are counted by their reason."""

REASONS = ("source", "action", "reason", "remedy")
"""Columns of the quarantine table by which its rows are counted."""


class Summary(Page):
    """What a run found, and where to find all of it."""

    title = "Summary"
    category = "Summary"
    file = book.SUMMARY
    scope = Scope.RUN
    reads = (
        *(book.MANIFEST, book.QUARANTINE, book.LATENTS, book.METRICS, book.RANKING, book.LEARNING),
        *(book.AGREEMENT, book.SOURCE_METRICS, *MAP_READS),
        *(book.WHAT_IS_KEPT, book.TARGET_FACTS, book.TARGET_QUARANTINE, book.PAIRS),
        *(book.METRICS_CSV, book.METRICS_JSON, book.METRICS_PARQUET),
    )
    configured_by = ("headline", *MAP_OPTIONS)
    shows = (METRIC_PLUGINS, CHARTS, CHANNEL_CHARTS, PAGES)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the page."""
        agreements = {
            (encoder, variant): results.path(book.AGREEMENT, encoder, variant)
            for encoder, variant in results.latents
        }
        experiments = in_order(experiments_of(results), agreements)
        standings = read_standings(results.path(book.RANKING), joined_variants(experiments))
        annotations = next(iter(results.paths(book.ANNOTATIONS)), None)
        joined = None if annotations is None else read_joined(annotations)
        calibrations = _calibrations(results)
        run_labels = read_labels(results.path(book.LABELS))
        ranks = is_ranked(experiments)
        duplicates = {key: read_duplicates(path) for key, path in agreements.items()}
        compared = read_comparisons(results.compared, results.paths(book.SOURCE_METRICS))
        quarantine = [
            path
            for table in (book.QUARANTINE, book.TARGET_QUARANTINE)
            for path in results.paths(table)
        ]
        maps = MapPlates(results)
        pages = _links(results)
        say = key_findings if run_labels.labelled else findings_without_labels
        learning = {
            (encoder, variant): found
            for encoder, variant in results.labelled_latents
            if (found := read_learning(results.path(book.LEARNING, encoder, variant)))
        }
        charts = _charts(
            Comparison(
                experiments,
                (),
                run_labels.group_of,
                calibrations=calibrations,
                learning=learning,
                baselines=results.baselines,
            )
        )
        kept = read_kept(results)
        table = leaderboard(experiments, standings, _first_maps(results))
        yield Content(
            f"Latent spaces of {results.name}",
            {
                "counts": _counts(
                    len(maps.shown.ids), _not_used(quarantine), run_labels, experiments
                ),
                "alarms": _alarms(calibrations),
                "findings": [
                    *samples_without_labels(run_labels),
                    *say(told_once(experiments), duplicates),
                    *imbalance_findings(experiments),
                    *neighbor_findings(told_once(experiments)),
                    *(standings.findings() if table.columns else ()),
                    *direction_findings(read_pairs(results)),
                    *source_findings(compared, experiments),
                    *_quarantine_findings(quarantine),
                    *annotation_warnings(joined),
                ],
                "headline": headline(experiments),
                "headline_title": title_of(headline(experiments)),
                "configured": results.option("headline"),
                "cosine": experiments[0].distance == "cosine",
                "ranks": ranks,
                "families": [] if kept is None else list(family_findings(kept)),
                "heatmap": kept and heatmap(kept),
                "kept_page": next(iter(_addresses(results, PAGES["what_is_kept"])), None),
                "chooses": False,
                "verdict": verdict(experiments, standings, results.baselines, results.lacks_map),
                "table": table,
                "charts": charts,
                "maps": _maps(results, experiments, maps),
                "quarantine": _quarantine(quarantine),
                "annotations": joined,
                "pages": pages,
                "tables": [
                    results.address(table)
                    for table in (book.METRICS_CSV, book.METRICS_JSON, book.METRICS_PARQUET)
                ],
                "config": yaml.safe_dump(dict(results.config), sort_keys=False, allow_unicode=True),
                "packages": _packages(),
                "processor": processor(),
                "left_out": {e.name: e.left_out for e in results.facts.encoders if e.left_out},
                "revisions": results.facts.revisions,
                "origins": results.facts.origins,
                "commit": commit_of(CHECKOUT),
                "shards": results.read(book.MANIFEST),
            },
            maps.shown,
            maps.colors,
            maps.measures(),
        )

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return the charts of the whole run."""
        return {name: name for name in charts_of("summary", results.facts.labelled)}

    def tracked(self, results: Results) -> Any:
        """Return all that is known of the run, and the pages that it leads to."""
        files = [page.file for page in listed_pages()]
        pages = [str(results.address(file, *key)) for file in files for key in results.keys(file)]
        return {"facts": asdict(results.facts), "pages": pages}


def _counts(
    samples: int, not_used: int, labels: RunLabels, experiments: Sequence[Experiment]
) -> str:
    encoders = {experiment.key.encoder for experiment in experiments}
    variants = {experiment.key.variant for experiment in experiments}
    methods = {experiment.key.method for experiment in experiments}
    groups = sum(group.samples > 0 for group in labels.groups)
    parts = [
        (len(labels.labels), "label"),
        (groups if groups < len(labels.labels) else 0, "label group"),
        (len(encoders), "encoder"),
        (len(variants), "variant"),
        (len(methods), "pooling method"),
    ]
    limited = f" (num_samples leaves out {not_used:,})" if not_used else ""
    return ", ".join(
        [_so_many(samples, "sample") + limited, *(_so_many(*part) for part in parts if part[0])]
    )


def _so_many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _calibrations(results: Results) -> dict[tuple[str, str], Calibration]:
    """Return the calibration of all shards of each encoder and variant that has one."""
    parts: dict[tuple[str, str], list[Calibration]] = {}
    for key in results.keys(book.LATENTS):
        found = read_metadata(results.path(book.LATENTS, *key)).get("calibration")
        if found is not None:
            parts.setdefault((key[0], key[1]), []).append(Calibration.from_json(found))
    return {place: merge(measured) for place, measured in parts.items()}


def _alarms(calibrations: Mapping[tuple[str, str], Calibration]) -> list[str]:
    """Return one line for every encoder and variant whose latents are out of the model's range."""
    return [
        f"{encoder} ({variant}): {warning}"
        for (encoder, variant), calibration in calibrations.items()
        if (warning := calibration.warning()) is not None
    ]


def _quarantine(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return how many rows were noted, repaired or set aside, by source and reason."""
    table = _read(paths).with_columns(pl.col("reason").str.replace_all(ONE_ROW, ""))
    return (
        table.group_by(REASONS)
        .agg(pl.sum("count"))
        .sort("count", *REASONS, descending=[True] + 4 * [False])
        .to_dicts()
    )


def _quarantine_findings(paths: Sequence[Path]) -> Iterator[Finding]:
    """Say what became of the input: a warning where rows were lost or changed."""
    counts = dict(_read(paths).group_by("action").agg(pl.sum("count")).rows())
    counts.pop(NOT_USED, None)
    for is_wrong in (True, False):
        told = [
            f"{count:,} {action}"
            for action, count in sorted(counts.items())
            if (action not in (PASSED_OVER, NOTED)) == is_wrong
        ]
        if told:
            yield Finding(
                f"Rows and files of the input: {', '.join(told)}. Reasons are under Input.",
                warning=is_wrong,
            )


def _not_used(paths: Sequence[Path]) -> int:
    """Return how many samples of the input the configuration leaves out."""
    return int(_read(paths).filter(pl.col("action") == NOT_USED)["count"].sum())


def _read(quarantine: Sequence[Path]) -> pl.DataFrame:
    tables = (pl.DataFrame(read_parquet(path, [*REASONS, "count"])) for path in quarantine)
    return pl.concat(tables, how="vertical_relaxed")


def _charts(data: Comparison) -> list[Plate]:
    names = charts_of("summary")
    return [plate for name in names for plate in chart_plates(name, CHARTS.create(name), data)]


def _addresses(results: Results, page: type[Page]) -> list[Path]:
    return [results.address(page.file, *key) for key in results.keys(page.file)]


def _first_maps(results: Results) -> dict[book.Key, Path]:
    """Return the first map's page of every embedding that has one."""
    page = PAGES["method_maps"].file
    return {key[:3]: results.address(page, *key) for key in reversed(results.keys(page))}


def _maps(results: Results, experiments: Sequence[Experiment], maps: MapPlates) -> list[Plate]:
    """Return, for each encoder, variant and projection, the map of its best mapped method."""
    order = [experiment.key for experiment in experiments]
    names: dict[Key, str] = {tuple(key): key.name for key in order}
    best: dict[tuple[str, str, str], Key] = {}
    for key in sorted(results.maps, key=lambda key: order.index(key[:3])):  # type: ignore[arg-type]
        best.setdefault((key[0], key[1], key[3]), key)
    page = PAGES["method_maps"].file
    home = results.address(book.SUMMARY)
    return [
        maps.plate(
            key,
            f"map-{number}",
            f"{names[key[:3]]}: {key[3]}",
            SMALL,
            relative(results.address(page, *key), home),
        )
        for number, key in enumerate(key for key in results.maps if key in best.values())
    ]


def _links(results: Results) -> dict[Key, Links]:
    """Return the other pages: those about the whole run, and about every encoder and variant."""
    links: dict[Key, Links] = {key: Links() for key in [(), *sorted(results.latents)]}
    for page in listed_pages():
        for key in results.keys(page.file):
            path = results.address(page.file, *key)
            if "method" in page.file.wildcards:
                links[key[:2]].methods.setdefault(key[2], {})[key[-1]] = path
            elif path != results.address(book.SUMMARY):
                links[key[:2]].comparisons.append((page.title_of(key), path))
    return links


def _packages() -> dict[str, str]:
    """Return the versions of Python, latentmap and what it depends on."""
    declared = [text for text in requires("latentmap") or [] if "extra ==" not in text]
    names = sorted({re.split(r"[^A-Za-z0-9._-]", text)[0] for text in declared}, key=str.lower)
    return {"Python": platform.python_version()} | {
        name: version(name) for name in ("latentmap", *names)
    }
