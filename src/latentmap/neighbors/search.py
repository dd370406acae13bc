"""The neighbor graph of one embedding: exact where that is affordable, else approximate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.errors import LatentmapError
from latentmap.neighbors import approximate, exact
from latentmap.neighbors.audit import audited
from latentmap.neighbors.graph import NeighborGraph, write_graph
from latentmap.neighbors.rows import DistanceMetric, read_rows
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids

# Of up to so many rows exact neighbors are affordable: a CPU minute at 384 dimensions.
EXACT_ROWS = 30_000


class NeighborOptions(Options):
    """Options of the neighbor graph.

    Attributes:
        k: neighbors per row; t-SNE needs three times its perplexity, metrics need their own k. For
            100,000 samples and more without t-SNE, 30 do, at a fraction of the cost.
        index: how they are found; `auto` compares all pairs (`exact`) up to 30,000 rows and is
            `approximate` beyond. Up to 1,000 rows are always compared exactly.
        metric: by which samples are compared, in everything that is made of embeddings; `cosine`
            brings their rows to length 1.
        audit: rows of an approximate graph that are compared with their exact neighbors.
        seed: of an approximate search and of the rows that are audited.
    """

    k: int = Field(default=90, ge=1)
    index: Literal["auto", "exact", "approximate"] = "auto"
    metric: DistanceMetric = "euclidean"
    audit: int = Field(default=500, ge=1)
    seed: int = Field(default=0, ge=0)


def find_graph(
    embedding: Path | str, samples: Iterable[Path | str], options: NeighborOptions, output: Path
) -> None:
    """Read one embedding and write its neighbor graph.

    Args:
        embedding: Parquet file of the embedding.
        samples: the shards of samples, in the manifest's order.
        options: how many neighbors, and how to find them.
        output: Parquet file of the graph.

    Raises:
        LatentmapError: the embedding's rows are not the samples, or some are not finite.
    """
    ids, values = read_rows(embedding, options.metric)
    table = read_samples(samples, ["id", "source_group"])
    check_ids(embedding, ids, table["id"].to_pylist())
    try:
        graph = find_neighbors(ids, values, table["source_group"].to_pylist(), options)
    except LatentmapError as error:
        raise LatentmapError(f"{embedding}: {error}") from None
    write_graph(output, graph)


def find_neighbors(
    ids: Sequence[str],
    values: NDArray[np.float32],
    source_groups: Sequence[str],
    options: NeighborOptions,
) -> NeighborGraph:
    """Find the k nearest other rows of every row, by Euclidean distance; audited if approximate.

    Args:
        ids: (N,) sample ids.
        values: (N, D) float32 rows as the metric compares them.
        source_groups: (N,) names of what must not leak.
        options: how many neighbors, and how to find them.

    Raises:
        LatentmapError: a row has a value that is not finite.
    """
    most = {"auto": EXACT_ROWS, "exact": len(values), "approximate": approximate.FEWEST}
    if len(values) <= most[options.index]:
        graph = exact.find_neighbors(ids, values, source_groups, options.k)
    else:
        graph = approximate.find_neighbors(ids, values, source_groups, options.k, options.seed)
        graph = audited(graph, values, source_groups, options.audit, options.seed)
    return replace(graph, metric=options.metric)
