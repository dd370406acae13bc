"""The page about the neighbors that the best method of one encoder and variant finds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import NeighborMetricOptions
from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.neighbors.graph import read_graph
from latentmap.neighbors.rows import read_rows
from latentmap.neighbors.search import NeighborOptions, find_neighbors
from latentmap.report.agreements import in_order
from latentmap.report.experiments import Experiment, experiments_of, format_value, is_ranked
from latentmap.report.labels import NO_LABEL, read_labels
from latentmap.report.matrix import labels_note
from latentmap.report.neighbor_charts import LabelledGraph, confusion_chart, share_histograms
from latentmap.report.page import Content, Page, Scope
from latentmap.report.plates import Plate, chart_plate
from latentmap.report.points import ShownSamples, read_samples_at
from latentmap.store.results import (
    AGREEMENT,
    EMBEDDING,
    LABELS,
    METRICS,
    NEIGHBORS,
    SAMPLES,
    THUMBNAILS,
    Key,
    Results,
    page_file,
)
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids

PAIRS = 24
CHARTS = ("shares", "confusion")
"""Charts of the page."""


@dataclass(frozen=True)
class Pair:
    """A sample and its nearest neighbor, of another label.

    Attributes:
        sample: row of the sample.
        neighbor: row of its nearest neighbor.
        distance: between them.
        relative: the same over the median distance of all samples to their nearest neighbor.
    """

    sample: int
    neighbor: int
    distance: float
    relative: float


class NearestNeighbors(Page):
    """What the best method's neighbors agree in, and the most telling of them."""

    title = "Nearest neighbors"
    category = "Deep dive"
    file = page_file("{encoder}/{variant}/deep_dive/nearest_neighbors.html", attrgetter("latents"))
    scope = Scope.LATENTS
    reads = (METRICS, AGREEMENT, EMBEDDING, NEIGHBORS, SAMPLES, THUMBNAILS, LABELS)
    configured_by = (
        "headline",
        "metrics.knn_category",
        "neighbors",
        "report.max_points",
        "report.image_url",
    )
    shows = (METRIC_PLUGINS,)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield the page of the best method; without labels, of the one that agrees most."""
        ((encoder, variant),) = keys
        found = experiments_of(results, METRICS, encoder=encoder, variant=variant)
        agreement = results.path(AGREEMENT, encoder, variant)
        experiments = in_order(found, {(encoder, variant): agreement})
        best = experiments[0].key
        run_labels = read_labels(results.path(LABELS))
        data, rows = _read_labelled(results, best)
        is_enough = len(data.codes) > data.k
        told = is_enough and 1 < len(data.labels) < len(data.codes)
        chances = _chances(data, experiments[0])
        pairs = telling_pairs(data) if is_enough else []
        samples = _samples_of(pairs, rows, results)
        yield Content(
            f"{self.title} ({encoder}, {variant}, {best.method})",
            {
                "method": best.method,
                "ranks": is_ranked(experiments),
                "labelled": told,
                "alone": len(experiments) == 1,
                "k": data.k,
                "enough": is_enough,
                "grouped": data.has_siblings,
                "audit": data.graph.audit,
                "cosine": data.graph.metric == "cosine",
                "plates": _plates(data, chances, run_labels.colors) if told else [],
                "wrong": _share_of_wrong(data) if told else "",
                "pairs": _shown_pairs(pairs, rows, samples),
            },
            samples if pairs else None,
        )

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return what there is to say of labels."""
        return {f"neighbor_{name}": name for name in CHARTS} if results.facts.labelled else {}


def _read_labelled(results: Results, key: Key) -> tuple[LabelledGraph, NDArray[np.intp]]:
    """Read the neighbors of the samples that have a label, or of all samples if none has one.

    Returns:
        The neighbors, and the rows of these samples among all.
    """
    options = NeighborMetricOptions(**(results.option("metrics.knn_category") or {}))
    graph_path, embedding = results.path(NEIGHBORS, *key), results.path(EMBEDDING, *key)
    table = read_samples(results.paths(SAMPLES), ["id", "label", "label_group", "source_group"])
    graph = read_graph(graph_path)
    check_ids(graph_path, graph.ids, table["id"].to_pylist())
    names, groups, sources = (
        np.array(table[name].fill_null(NO_LABEL).to_pylist(), np.str_)
        for name in ("label", "label_group", "source_group")
    )
    rows = np.flatnonzero(names != NO_LABEL)
    if len(rows) == 0:
        rows = np.arange(len(names))
    if len(rows) < len(names):
        ids, values = read_rows(embedding, graph.metric)
        check_ids(embedding, ids, graph.ids)
        names, groups, sources = names[rows], groups[rows], sources[rows]
        chosen = [ids[row] for row in rows.tolist()]
        search = NeighborOptions(**results.option("neighbors"))
        graph = find_neighbors(chosen, values[rows], sources.tolist(), search)
    labels, first, codes = np.unique(names, return_index=True, return_inverse=True)
    data = LabelledGraph(
        graph=graph,
        k=options.k,
        labels=labels.tolist(),
        groups=groups[first].tolist(),
        codes=codes,
        sources=np.unique(sources, return_inverse=True)[1],
    )
    return data, rows


def _chances(data: LabelledGraph, experiment: Experiment) -> dict[str, float | None]:
    """Return the chance levels of the neighbors that are shown, of labels and their groups."""
    suffix = "_grouped" if data.is_grouped else ""
    metrics = {"label": "knn_category_acc", "label group": "knn_group_acc"}
    return {noun: experiment[metric + suffix].chance for noun, metric in metrics.items()}


def _plates(
    data: LabelledGraph, chances: Mapping[str, float | None], colors: Mapping[str, str]
) -> list[Plate]:
    light = " Light bars farther right are neighbors of the same source group."
    shares = chart_plate(
        CHARTS[0],
        share_histograms(data, chances),
        "How many neighbors share the label",
        "Dark bars should lie to the right of the orange line of chance. A tall bar at 0 counts "
        "samples whose neighbors all have other labels." + (light if data.has_siblings else ""),
    )
    matrix = chart_plate(
        CHARTS[1],
        confusion_chart(data, colors),
        "Which labels are confused",
        "Orange cells on the diagonal are labels that are found among their own neighbors; orange "
        "cells off the diagonal are labels that are confused. Numbers are percent of a row's "
        "neighbors; white is chance.",
        note=labels_note(len(data.labels)),
    )
    return [shares, matrix]


def _share_of_wrong(data: LabelledGraph) -> str:
    first = data.nearest.indices[:, 0]
    present = first >= 0
    wrong = data.codes[first[present]] != data.codes[present]
    return f"{100 * wrong.mean():.0f} %"


def telling_pairs(data: LabelledGraph, most: int = PAIRS) -> list[Pair]:
    """Return samples that nearly coincide with a sample of another label, nearest first.

    Of all samples whose nearest neighbor has another label, or of all samples where there are no
    labels to differ in, those at the smallest distance are taken. No sample is shown twice, and no
    pair of labels more often than needed to show `most`.
    """
    first, distances = data.nearest.indices[:, 0], data.nearest.distances[:, 0].astype(np.float64)
    present = np.flatnonzero(first >= 0)
    differs = data.codes[first[present]] != data.codes[present]
    wrong = present[differs] if len(data.labels) > 1 else present
    typical = float(np.median(distances[present])) if len(present) else math.nan
    label_pairs = len(data.labels) * (len(data.labels) - 1) // 2
    limit = math.ceil(most / max(label_pairs, 1))
    seen: set[int] = set()
    used: Counter[tuple[int, ...]] = Counter()
    pairs: list[Pair] = []
    for sample in wrong[np.argsort(distances[wrong], kind="stable")].tolist():
        neighbor, distance = int(first[sample]), float(distances[sample])
        labels = tuple(sorted(data.codes[[sample, neighbor]].tolist()))
        if seen & {sample, neighbor} or used[labels] == limit:
            continue
        seen |= {sample, neighbor}
        used[labels] += 1
        pairs.append(Pair(sample, neighbor, distance, distance / typical if typical else math.nan))
        if len(pairs) == most:
            break
    return pairs


def _samples_of(pairs: Sequence[Pair], rows: NDArray[np.intp], results: Results) -> ShownSamples:
    """Read the samples of pairs, each once."""
    needed = np.unique(np.array([(p.sample, p.neighbor) for p in pairs], np.intp).reshape(-1))
    return read_samples_at(rows[needed], results.paths(SAMPLES), results.paths(THUMBNAILS))


def _shown_pairs(
    pairs: Sequence[Pair], rows: NDArray[np.intp], samples: ShownSamples
) -> list[dict[str, Any]]:
    """Return what the page says of each pair; `place` is that of a sample among the page's."""
    places = {row: place for place, row in enumerate(samples.rows.tolist())}

    def shown(row: int) -> dict[str, Any]:
        place = places[int(rows[row])]
        told = {name: samples.content[name][place] for name in ("id", "label", "group", "text")}
        return {**told, "place": place, "has_image": samples.content["image"][place] >= 0}

    return [
        {
            "samples": [shown(pair.sample), shown(pair.neighbor)],
            "distance": format_value(pair.distance),
            "relative": format_value(pair.relative),
        }
        for pair in pairs
    ]
