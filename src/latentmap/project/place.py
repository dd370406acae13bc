"""From an embedding and its neighbors to a map on disk."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from latentmap.errors import LatentmapError
from latentmap.neighbors.graph import NeighborGraph, read_compact, read_graph_of
from latentmap.neighbors.search import NeighborOptions, find_neighbors
from latentmap.project.components import principal_components
from latentmap.project.projection import Layout, Projection, ProjectionOptions, Values
from latentmap.store.maps import write_map
from latentmap.store.samples import read_samples


def project_embedding(
    embedding: Path | str,
    neighbors: Path | str,
    samples: Iterable[Path | str],
    projection: Projection[ProjectionOptions],
    output: Path | str,
) -> None:
    """Place the samples of one embedding on one map and write it.

    The map is a Parquet file of id, x, y (, z) float32; what its reader must know (how it was made,
    explained variance, a perplexity that had to be reduced) is JSON in the metadata of its schema.

    Args:
        embedding: Parquet file of the embedding.
        neighbors: Parquet file of its neighbor graph.
        samples: the shards of samples, in the manifest's order.
        projection: how to place them.
        output: Parquet file of the map.

    Raises:
        LatentmapError: the files do not describe the same samples, or the graph holds too few
            neighbors for the projection.
    """
    expected = read_samples(samples, ["id"])["id"].to_pylist()
    graph = read_graph_of(embedding, neighbors, expected)
    try:
        layout = lay_out(partial(read_compact, embedding, graph), graph, projection)
    except LatentmapError as error:
        raise LatentmapError(f"{neighbors}: {error}") from None
    facts = {**layout.facts, "projection": described(projection), "metric": graph.metric}
    write_map(output, graph.ids, layout.coordinates, facts)


def described(projection: Projection[ProjectionOptions]) -> dict[str, Any]:
    """Return the kind and the options of a projection as JSON values."""
    return {"kind": projection.kind, **projection.options.model_dump(mode="json")}


def lay_out(
    values: Values, graph: NeighborGraph, projection: Projection[ProjectionOptions]
) -> Layout:
    """Reduce the embedding if the projection asks for it, and place its samples.

    If approximate neighbors decide the places, their exactness is the fact `neighbors`.

    Args:
        values: gives the (N, D) embedding as its graph compares it.
        graph: its neighbors.
        projection: how to place its samples.

    Raises:
        LatentmapError: the graph holds too few neighbors for the projection.
    """
    count = projection.options.pca
    if count is None:
        return _placed(projection, values, graph)
    wide = values()
    reduced = principal_components(wide, min(count, *wide.shape)).coordinates
    # The reduced rows have neighbors of their own; nobody's neighbors are left out for a map.
    reduced_graph = find_neighbors(graph.ids, reduced, graph.ids, found_as(graph))
    return _placed(projection, lambda: reduced, reduced_graph)


def found_as(graph: NeighborGraph) -> NeighborOptions:
    """Return options that find neighbors as those of a graph were: exactly, or nearly all."""
    if graph.audit is None:
        return NeighborOptions(k=graph.every.k, index="exact", metric=graph.metric)
    return NeighborOptions(
        k=graph.every.k, index="approximate", metric=graph.metric, audit=graph.audit.rows
    )


def _placed(
    projection: Projection[ProjectionOptions], values: Values, graph: NeighborGraph
) -> Layout:
    layout = projection.place(values, graph)
    if graph.audit is None or not projection.reads_neighbors:
        return layout
    return Layout(layout.coordinates, {**layout.facts, "neighbors": graph.exactness})
