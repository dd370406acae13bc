"""The page about the neighbors that the best method of one encoder and variant finds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.metrics.agreement import NeighborMetricOptions
from latentmap.metrics.metric import HEADLINE
from latentmap.neighbors.graph import read_graph
from latentmap.neighbors.rows import read_rows
from latentmap.neighbors.search import NeighborOptions, find_neighbors
from latentmap.report.agreements import in_order
from latentmap.report.experiments import Experiment, format_value, read_experiments
from latentmap.report.labels import NO_LABEL, read_labels
from latentmap.report.matrix import labels_note
from latentmap.report.neighbor_charts import LabelledGraph, confusion_chart, share_histograms
from latentmap.report.pages import Plate, chart_plate, write_page
from latentmap.report.points import read_samples_at
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids

PAIRS = 24
CHARTS = ("shares", "confusion")
"""Charts of the page, which can be exported for publication."""


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


def write_neighbors_page(
    output: Path | str,
    *,
    encoder: str,
    variant: str,
    keys: Sequence[Sequence[str]],
    metrics: Sequence[Path | str],
    agreement: Path | str,
    embeddings: Sequence[Path | str],
    graphs: Sequence[Path | str],
    samples: Sequence[Path | str],
    thumbnails: Sequence[Path | str],
    labels: Path | str,
    options: NeighborMetricOptions,
    search: NeighborOptions,
    bundle: Path | str,
    home: Path | str,
    headline: str = HEADLINE,
) -> None:
    """Write the page about the best method's neighbors.

    Args:
        output: the page.
        encoder: whose methods.
        variant: of the images.
        keys: (encoder, variant, method) of each file of metrics.
        metrics: the files of metrics, in the same order.
        agreement: the file of how far the methods agree, which chooses one where no sample has a
            label.
        embeddings: the embeddings, in the same order; that of the best method is read where only
            some samples have a label.
        graphs: the neighbor graphs, in the same order; that of the best method is read.
        samples: shards of samples.
        thumbnails: their shards of thumbnails, in the same order.
        labels: what `collect_labels` wrote.
        options: how many neighbors are looked at.
        search: how they are found.
        bundle: what `write_vega_bundle` wrote.
        home: the summary, which the page links to.
        headline: the metric by which methods are ranked.

    Raises:
        LatentmapError: an input does not belong to these samples.
    """
    experiments = in_order(
        read_experiments(keys, metrics, headline), {(encoder, variant): agreement}
    )
    best = experiments[0].key
    files = dict(zip(map(tuple, keys), zip(embeddings, graphs, strict=True), strict=True))[best]
    run_labels = read_labels(labels)
    data, rows = _read_labelled(*files, samples, options.k, search)
    is_enough = len(data.codes) > data.k
    told = is_enough and 1 < len(data.labels) < len(data.codes)
    shown = told or (is_enough and not run_labels.labelled)
    write_page(
        output,
        "neighbors.html",
        bundle=bundle,
        home=home,
        title=f"Nearest neighbors ({encoder}, {variant}, {best.method})",
        method=best.method,
        labelled=bool(run_labels.labelled),
        alone=len(experiments) == 1,
        k=data.k,
        grouped=data.is_grouped,
        audit=data.graph.audit,
        cosine=data.graph.metric == "cosine",
        plates=_plates(data, _chances(data, experiments[0]), run_labels.colors) if told else [],
        wrong=_share_of_wrong(data) if told else "",
        pairs=_shown_pairs(telling_pairs(data), rows, samples, thumbnails) if shown else [],
    )


def _read_labelled(
    embedding: Path | str,
    graph_path: Path | str,
    samples: Sequence[Path | str],
    k: int,
    search: NeighborOptions,
) -> tuple[LabelledGraph, NDArray[np.intp]]:
    """Read the neighbors of the samples that have a label, or of all samples if none has one.

    Returns:
        The neighbors, and the rows of these samples among all.
    """
    table = read_samples(samples, ["id", "label", "label_group", "source_group"])
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
        graph = find_neighbors(chosen, values[rows], sources.tolist(), search)
    labels, first, codes = np.unique(names, return_index=True, return_inverse=True)
    data = LabelledGraph(
        graph=graph,
        k=k,
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
    shares = chart_plate(
        CHARTS[0],
        share_histograms(data, chances),
        "How many neighbors agree",
        "dark bars to the right of the orange line of chance. A tall bar at 0 are samples whose "
        "neighbors all have another label; light bars farther right are neighbors of the "
        "same source group.",
    )
    matrix = chart_plate(
        CHARTS[1],
        confusion_chart(data, colors),
        "Which labels mix",
        "an orange diagonal, labels whose neighbors are their own, and orange cells off it, labels "
        "that are taken for each other. Numbers are percent of a row's neighbors; white is chance.",
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


def _shown_pairs(
    pairs: Sequence[Pair],
    rows: NDArray[np.intp],
    samples: Sequence[Path | str],
    thumbnails: Sequence[Path | str],
) -> list[dict[str, Any]]:
    """Return what the page says of each pair: both samples, with their pictures."""
    needed = np.unique(np.array([(p.sample, p.neighbor) for p in pairs], np.intp).reshape(-1))
    content = read_samples_at(rows[needed], samples, thumbnails).content
    places = {row: place for place, row in enumerate(needed.tolist())}

    def shown(row: int) -> dict[str, str]:
        place = places[row]
        image = content["image"][place]
        return {
            **{name: content[name][place] for name in ("id", "label", "group", "text")},
            "image": "" if image < 0 else content["images"][image],
        }

    return [
        {
            "samples": [shown(pair.sample), shown(pair.neighbor)],
            "distance": format_value(pair.distance),
            "relative": format_value(pair.relative),
        }
        for pair in pairs
    ]
