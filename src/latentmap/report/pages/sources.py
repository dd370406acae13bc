"""The page about how sources differ in the embeddings of one encoder and variant."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import holm
from latentmap.metrics.sources import reference_source
from latentmap.report.agreements import in_order
from latentmap.report.experiments import Key as Embedded
from latentmap.report.experiments import experiments_of, format_p, format_value, has_labels, say_p
from latentmap.report.findings import SIGNIFICANT
from latentmap.report.labels import NO_LABEL
from latentmap.report.page import Content, Page, Scope
from latentmap.report.plates import THREE_VIEWS, Plate, chart_plate
from latentmap.report.source_charts import SourcedMap, region_bars, sourced_map
from latentmap.report.source_comparisons import (
    SCHEMES,
    SourceComparison,
    SourcePair,
    read_comparisons,
)
from latentmap.store.maps import read_map
from latentmap.store.results import (
    AGREEMENT,
    METRICS,
    PROJECTION,
    SAMPLES,
    SOURCE_METRICS,
    Key,
    Results,
    page_file,
)
from latentmap.store.samples import evenly_spaced, read_samples
from latentmap.store.tables import facts_of, read_parquet_schema

CHARTS = ("sources", "regions")
"""Charts of the page, two for each map."""

MAP_LOOK_FOR = (
    "Look for places where one colour is alone. Distances between far clusters mean little; the "
    "metrics below are measured in the embedding, not on the map."
)
REFERENCE_LOOK_FOR = (
    "Look for colour where there is little grey, and grey that no colour covers. On any map but "
    "that of principal components, the samples of this run land on samples of the reference or "
    "between them: new kinds of samples cannot form clusters of their own. On principal components "
    "too they gather nearer to the middle, the more so the wider the embedding."
)
BARS_LOOK_FOR = (
    "A star marks regions in which the shares of the sources differ significantly (p ≤ 0.05, "
    "adjusted for the number of regions)."
)
REFERENCE_BARS_LOOK_FOR = (
    "Look for regions that one source nearly leaves out. Smaller differences mean nothing: "
    "samples that shaped a map spread wider on it than samples of the same distribution that are "
    "placed into it, so that no test is made here. Those in the table below hold."
)
COLUMNS = {
    "own_neighbors": "share of a sample's nearest neighbors that have its own source",
    "coverage_of_first": "share of the first source's samples that have the second's around them",
    "coverage_of_second": "share of the second source's samples that have the first's around them",
    "density_of_first": "how densely the first source's samples lie around the second's",
    "density_of_second": "how densely the second source's samples lie around the first's",
}


@dataclass(frozen=True)
class MapSamples:
    """What a page shows of the samples of one run on a map.

    Attributes:
        rows: of those that are shown, evenly spaced.
        ids: (N,) of all samples.
        columns: `source`, `label` and `id` of those that are shown.
    """

    rows: NDArray[np.intp]
    ids: list[str]
    columns: Mapping[str, list[str]]

    def places(self, path: Path | str) -> NDArray[np.float32]:
        """Read the coordinates of the shown samples, (n, dims)."""
        return read_map(path, self.ids).coordinates[self.rows]


def _compared(results: Results) -> list[Key]:
    return list(dict.fromkeys(key[:2] for key in results.compared))


class Sources(Page):
    """How sources differ: the maps of the best method that has maps, and a table of all methods."""

    title = "Sources compared"
    category = "Deep dive"
    file = page_file("{encoder}/{variant}/deep_dive/sources.html", _compared)
    scope = Scope.LATENTS
    reads = (
        *(SOURCE_METRICS, METRICS.over("compared"), AGREEMENT),
        *(PROJECTION, SAMPLES, PROJECTION.theirs, SAMPLES.theirs),
    )
    configured_by = ("headline", "report.max_points")

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the page."""
        ((encoder, variant),) = keys
        where = {"encoder": encoder, "variant": variant}
        compared = results.keys(SOURCE_METRICS, **where)
        comparisons = read_comparisons(compared, results.paths(SOURCE_METRICS, **where))
        by_key = {found.key: found for found in comparisons}
        experiments = in_order(
            experiments_of(results, METRICS.over("compared"), **where),
            {(encoder, variant): results.path(AGREEMENT, encoder, variant)},
        )
        order = [experiment.key for experiment in experiments]
        mapped = {Embedded(*key) for key in results.mapped}
        best = next((by_key[key] for key in order if key in mapped), by_key[order[0]])
        most = results.option("report.max_points")
        shown = [_read_shown(results.paths(SAMPLES), None, most)]
        places = [PROJECTION]
        if best.reference is not None:
            name = reference_source(best.reference)
            shown.insert(0, _read_shown(results.paths(SAMPLES.theirs), name, most))
            places.insert(0, PROJECTION.theirs)
        plates = []
        for projection in best.regions:
            files = [results.path(place, *best.key, projection) for place in places]
            plates += _plates(best, projection, shown, files)
        yield Content(
            f"{self.title} ({encoder}, {variant})",
            {
                "method": best.key.method,
                "labelled": has_labels(experiments),
                "sources": best.sources,
                "reference": best.reference,
                "far": _far(results, best) if best.reference is not None else "",
                "plates": plates,
                "columns": COLUMNS,
                "rows": [_row(by_key[key], pair) for key in order for pair in by_key[key].pairs],
                "schemes": sorted({SCHEMES[pair.scheme] for pair in best.pairs}),
                "k": best.k,
                "cosine": best.distance == "cosine",
                "thinned": min(
                    (pair.in_neighborhoods for pair in best.pairs if _is_thinned(pair, best)),
                    default=0,
                ),
            },
        )

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return two charts of each map."""
        return {
            f"sources_{projection}_{part}": f"{projection}-{part}"
            for projection in results.projections
            for part in CHARTS
        }


def _is_thinned(pair: SourcePair, best: SourceComparison) -> bool:
    """Whether neighborhoods were compared in fewer samples than the classifier saw."""
    compared = {name: count for name, _, count in best.sources}
    return pair.in_neighborhoods < compared[pair.first] + compared[pair.second]


def _read_shown(samples: Sequence[Path | str], source: str | None, most: int) -> MapSamples:
    """Choose what is shown of a run's samples, all of one source if it is given."""
    table = read_samples(samples, ["id", "label", "source"])
    columns = {name: table[name].fill_null(NO_LABEL).to_pylist() for name in table.column_names}
    rows = evenly_spaced(len(table), most)
    chosen = {name: [column[row] for row in rows.tolist()] for name, column in columns.items()}
    if source is not None:
        chosen["source"] = [source] * len(rows)
    return MapSamples(rows, columns["id"], chosen)


def _plates(
    best: SourceComparison,
    projection: str,
    shown: Sequence[MapSamples],
    files: Sequence[Path | str],
) -> list[Plate]:
    """Return one map coloured by source, and the sources' shares of its regions."""
    columns = {
        name: [v for part in shown for v in part.columns[name]]
        for name in ("source", "label", "id")
    }
    reference = None if best.reference is None else reference_source(best.reference)
    data = SourcedMap(
        np.concatenate([part.places(path) for part, path in zip(shown, files, strict=True)]),
        columns["source"],
        columns["id"],
        columns["label"],
        [name for name, _, _ in best.sources],
        reference,
        best.regions[projection],
    )
    total, count = sum(len(part.ids) for part in shown), len(data.sources)
    notes = [
        THREE_VIEWS if data.places.shape[1] == 3 else "",
        f"{count:,} of {total:,} samples, evenly spaced." if count < total else "",
    ]
    title = f"{projection} of {best.key.method}"
    return [
        chart_plate(
            f"{projection}-{CHARTS[0]}",
            sourced_map(data),
            title,
            MAP_LOOK_FOR if reference is None else REFERENCE_LOOK_FOR,
            note=" ".join(filter(None, notes)),
            renderer="canvas",
        ),
        chart_plate(
            f"{projection}-{CHARTS[1]}",
            region_bars(data),
            f"Shares of the regions of {title}",
            BARS_LOOK_FOR if reference is None else REFERENCE_BARS_LOOK_FOR,
            note="The regions come from k-means on the map, which does not know the sources.",
        ),
    ]


def _far(results: Results, best: SourceComparison) -> str:
    """Return the share of samples that are far from the reference, which all maps state alike."""
    for projection in best.regions:
        facts = facts_of(read_parquet_schema(results.path(PROJECTION, *best.key, projection)))
        return f"{100 * facts['far']:.1f} %"
    return ""


def _row(comparison: SourceComparison, pair: SourcePair) -> dict[str, Any]:
    """Return one pair of sources in one embedding as the texts of a table row."""
    cells = [
        _cell(pair.accuracy, 0.5, ""),
        _cell(pair.auc, pair.metrics["auc"]["expected"], _details(pair.metrics["auc"])),
        {
            "text": format_p(pair.p_adjusted),
            "sort": "" if math.isnan(pair.p_adjusted) else repr(pair.p_adjusted),
            "details": "adjusted for the number of pairs of sources",
            "marked": pair.differs,
        },
    ]
    adjusted = holm(np.array([pair.metrics[name]["p_value"] for name in COLUMNS]))
    for name, p_value in zip(COLUMNS, adjusted.tolist(), strict=True):
        metric = pair.metrics[name]
        cell = _cell(metric["value"], metric["expected"], _details(metric))
        cells.append({**cell, "marked": p_value <= SIGNIFICANT})
    return {
        "method": comparison.key.method,
        "first": pair.first,
        "second": pair.second,
        "cells": cells,
    }


def _cell(value: float, expected: float, details: str) -> dict[str, Any]:
    undefined = math.isnan(value)
    return {
        "text": "–" if undefined else f"{value:.2f} ({expected:.2f})",
        "sort": "" if undefined else repr(value),
        "details": details,
        "marked": False,
    }


def _details(metric: Mapping[str, float]) -> str:
    return (
        f"if the sources do not differ, 95 % are from {format_value(metric['low'])} to "
        f"{format_value(metric['high'])}; {say_p(metric['p_value'])}"
    )
