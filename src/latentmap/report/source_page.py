"""The page about how sources differ in the embeddings of one encoder and variant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.inference import holm
from latentmap.metrics.metric import HEADLINE
from latentmap.metrics.sources import reference_source
from latentmap.report.agreements import in_order
from latentmap.report.experiments import Key, format_value, has_labels, read_experiments
from latentmap.report.findings import SIGNIFICANT
from latentmap.report.labels import NO_LABEL
from latentmap.report.options import ReportOptions
from latentmap.report.pages import Plate, chart_plate, embedded_json, specification, write_page
from latentmap.report.source_charts import SourcedMap, region_bars, sourced_map
from latentmap.report.source_comparisons import (
    SCHEMES,
    SourceComparison,
    SourcePair,
    read_comparisons,
)
from latentmap.store.maps import read_map
from latentmap.store.samples import evenly_spaced, read_samples
from latentmap.store.tables import facts_of, read_parquet_schema

CHARTS = ("sources", "regions")
"""Charts of the page, two for each map, which can be exported for publication."""

MAP_LOOK_FOR = (
    "places where one colour is alone. Distances between far clusters mean little; the metrics "
    "below are of the embedding, not of the map."
)
REFERENCE_LOOK_FOR = (
    "colour where there is little grey, and grey that no colour covers. On any map but that of "
    "principal components, the samples of this run land on samples of the reference or between "
    "them: new kinds of samples cannot form clusters of their own. On principal components too "
    "they gather nearer to the middle, the more so the wider the embedding."
)
BARS_LOOK_FOR = (
    "bars of one region that differ in height, with a star where they differ more than chance "
    "explains (p ≤ 0.05, adjusted for the number of regions)."
)
REFERENCE_BARS_LOOK_FOR = (
    "regions that one source nearly leaves out. Smaller differences of the bars mean nothing: "
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


def write_sources_page(
    output: Path | str,
    *,
    encoder: str,
    variant: str,
    keys: Sequence[Sequence[str]],
    comparisons: Sequence[Path | str],
    metrics: Sequence[Path | str],
    agreement: Path | str,
    map_keys: Sequence[Sequence[str]],
    maps: Sequence[Path | str],
    samples: Sequence[Path | str],
    reference_maps: Sequence[Path | str],
    reference_samples: Sequence[Path | str],
    options: ReportOptions,
    bundle: Path | str,
    home: Path | str,
    headline: str = HEADLINE,
) -> None:
    """Write the page about the sources.

    The maps are those of the best of the methods that have maps; the table has all methods.

    Args:
        output: the page.
        encoder: whose methods.
        variant: of the images.
        keys: (encoder, variant, method) of each comparison.
        comparisons: files of `compare_sources`, in the same order.
        metrics: files of metrics, in the same order.
        agreement: the file of how far the methods agree, which orders them where no sample has a
            label.
        map_keys: (encoder, variant, method, projection) of each map.
        maps: their files, in the same order.
        samples: shards of samples.
        reference_maps: files of the same maps of the reference run; none without one.
        reference_samples: shards of the reference run's samples; none without one.
        options: of the report.
        bundle: what `write_vega_bundle` wrote.
        home: the summary, which the page links to.
        headline: the metric by which methods are ranked.

    Raises:
        LatentmapError: a map does not belong to these samples.
    """
    by_key = {found.key: found for found in read_comparisons(keys, comparisons)}
    experiments = in_order(
        read_experiments(keys, metrics, headline), {(encoder, variant): agreement}
    )
    order = [experiment.key for experiment in experiments]
    mapped = {Key(*key[:3]) for key in map_keys}
    best = next((by_key[key] for key in order if key in mapped), by_key[order[0]])
    places = {(*key,): path for key, path in zip(map_keys, maps, strict=True)}
    old = dict(zip(places, reference_maps, strict=True)) if reference_maps else {}
    shown = [_read_shown(samples, None, options.max_points)]
    if best.reference is not None:
        name = reference_source(best.reference)
        shown.insert(0, _read_shown(reference_samples, name, options.max_points))
    plates = []
    for projection in best.regions:
        key = (*best.key, projection)
        files = [path for path in (old.get(key), places[key]) if path is not None]
        plates += _plates(best, projection, shown, files)
    write_page(
        output,
        "sources.html",
        bundle=bundle,
        home=home,
        title=f"Sources compared ({encoder}, {variant})",
        method=best.key.method,
        labelled=has_labels(experiments),
        sources=best.sources,
        reference=best.reference,
        far=_far(places, best) if best.reference is not None else "",
        plates=plates,
        columns=COLUMNS,
        rows=[_row(by_key[key], pair) for key in order for pair in by_key[key].pairs],
        schemes=sorted({SCHEMES[pair.scheme] for pair in best.pairs}),
        k=best.k,
        thinned=min(
            (pair.in_neighborhoods for pair in best.pairs if _is_thinned(pair, best)), default=0
        ),
    )


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
        "The three panels are the pairs of axes of a 3D map." if data.places.shape[1] == 3 else "",
        f"{count:,} of {total:,} samples, evenly spaced." if count < total else "",
    ]
    metric = {"spec": specification(sourced_map(data)), "renderer": "canvas"}
    title = f"{projection} of {best.key.method}"
    return [
        Plate(
            f"{projection}-{CHARTS[0]}",
            title,
            MAP_LOOK_FOR if reference is None else REFERENCE_LOOK_FOR,
            embedded_json(metric),
            " ".join(filter(None, notes)),
        ),
        chart_plate(
            f"{projection}-{CHARTS[1]}",
            region_bars(data),
            f"Shares of the regions of {title}",
            BARS_LOOK_FOR if reference is None else REFERENCE_BARS_LOOK_FOR,
            note="The regions come from k-means on the map, which does not know the sources.",
        ),
    ]


def _far(places: Mapping[tuple[str, ...], Path | str], best: SourceComparison) -> str:
    """Return the share of samples that are far from the reference, which all maps state alike."""
    for projection in best.regions:
        facts = facts_of(read_parquet_schema(places[(*best.key, projection)]))
        return f"{100 * facts['far']:.1f} %"
    return ""


def _row(comparison: SourceComparison, pair: SourcePair) -> dict[str, Any]:
    """Return one pair of sources in one embedding as the texts of a table row."""
    cells = [
        _cell(pair.accuracy, 0.5, ""),
        _cell(pair.auc, pair.metrics["auc"]["expected"], _details(pair.metrics["auc"])),
        {
            "text": format_value(pair.p_adjusted),
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
        f"{format_value(metric['high'])}; p = {format_value(metric['p_value'])}"
    )
