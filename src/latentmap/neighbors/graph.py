"""The neighbor graph and its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.neighbors.rows import DistanceMetric, compared, read_rows
from latentmap.store.files import reading
from latentmap.store.tables import (
    check_ids,
    facts_of,
    matrix,
    numbers,
    read_parquet,
    read_parquet_schema,
    strings,
    with_facts,
    write_parquet,
)


@dataclass(frozen=True)
class NeighborList:
    """The nearest neighbors of every row, nearest first.

    A row with fewer than k candidates is filled up with index -1 at distance infinity.

    Attributes:
        indices: (N, k) int32 row numbers; never the row itself.
        distances: (N, k) float32 Euclidean distances.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]

    @property
    def k(self) -> int:
        """Neighbors per row."""
        return self.indices.shape[1]


@dataclass(frozen=True)
class Audit:
    """How an approximate graph compares with exact neighbors, on a sample of its rows.

    Attributes:
        recall: share of the exact k nearest that the graph lists, of its two lists the lower.
        k: neighbors per row.
        rows: rows that were compared.
    """

    recall: float
    k: int
    rows: int

    @property
    def note(self) -> str:
        """What to say beside a metric that is made from the graph."""
        return f"approximate neighbors: recall@{self.k} {self.recall:.3f}."


@dataclass(frozen=True)
class NeighborGraph:
    """Both neighbor lists of one embedding.

    Attributes:
        ids: (N,) sample ids.
        every: neighbors among all other samples.
        grouped: neighbors among samples of other source groups only.
        rotated: (N, r) float32, the rows of a table wider than long on their principal axes; see
            `rotation.rotate`. None for other tables.
        audit: of a graph that is approximate. None for an exact one.
        metric: of the rows that were searched; see `rows.compared`.
    """

    ids: list[str]
    every: NeighborList
    grouped: NeighborList
    rotated: NDArray[np.float32] | None = None
    audit: Audit | None = None
    metric: DistanceMetric = "euclidean"

    @property
    def exactness(self) -> dict[str, Any]:
        """Whether the graph is `exact` and, if not, its audit; as JSON values."""
        return {"exact": True} if self.audit is None else {"exact": False, **asdict(self.audit)}


def audit_of(exactness: Mapping[str, Any]) -> Audit | None:
    """Return the audit that a graph's `exactness` holds, if it is not exact."""
    if exactness["exact"]:
        return None
    return Audit(**{field.name: exactness[field.name] for field in fields(Audit)})


def write_graph(path: Path | str, graph: NeighborGraph) -> None:
    """Write a graph as id + k indices + k distances, for both lists, and its rotated rows.

    Its exactness and metric are JSON in the metadata of the schema.
    """
    columns = {"id": strings(graph.ids)}
    for suffix, neighbors in (("", graph.every), ("_grouped", graph.grouped)):
        columns[f"indices{suffix}"] = _fixed(neighbors.indices)
        columns[f"distances{suffix}"] = _fixed(neighbors.distances)
    if graph.rotated is not None:
        columns["rotated"] = _fixed(graph.rotated)
    facts = {**graph.exactness, "metric": graph.metric}
    write_parquet(path, with_facts(pa.table(columns), facts))


def read_graph(path: Path | str) -> NeighborGraph:
    """Read a graph."""
    table = read_parquet(path)
    with reading(path, "a neighbor graph"):
        every, grouped = (
            NeighborList(matrix(table[f"indices{suffix}"]), matrix(table[f"distances{suffix}"]))
            for suffix in ("", "_grouped")
        )
        rotated = matrix(table["rotated"]) if "rotated" in table.column_names else None
        facts = facts_of(table)
        audit, metric = audit_of(facts), facts["metric"]
    return NeighborGraph(table["id"].to_pylist(), every, grouped, rotated, audit, metric)


def read_metric(path: Path | str) -> DistanceMetric:
    """Read the metric of a graph, and no row."""
    with reading(path, "a neighbor graph"):
        metric: DistanceMetric = facts_of(read_parquet_schema(path))["metric"]
    return metric


def read_graph_of(
    embedding: Path | str, neighbors: Path | str, expected: Sequence[str]
) -> NeighborGraph:
    """Read the graph of an embedding; the rows of both must be the expected samples.

    Raises:
        LatentmapError: they are not.
    """
    graph = read_graph(neighbors)
    check_ids(neighbors, graph.ids, expected)
    check_ids(embedding, read_parquet(embedding, ["id"])["id"].to_pylist(), expected)
    return graph


def read_compact(embedding: Path | str, graph: NeighborGraph) -> NDArray[np.float32]:
    """Read (N, r) rows with the distances of those compared, in fewer dimensions where known."""
    return graph.rotated if graph.rotated is not None else read_rows(embedding, graph.metric)[1]


def compact(values: NDArray[np.float32], graph: NeighborGraph) -> NDArray[np.float32]:
    """Return what `read_compact` reads, of an (N, D) embedding in memory."""
    return graph.rotated if graph.rotated is not None else compared(values, graph.metric)


def _fixed(values: NDArray[np.int32] | NDArray[np.float32]) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(numbers(values), values.shape[1])


def neighbor_labels(
    labels: Sequence[int] | NDArray[np.intp], neighbors: NeighborList
) -> NDArray[np.intp]:
    """Return the label code of every neighbor, (N, k); -1 where there is none."""
    codes = np.append(np.asarray(labels, np.intp), -1)
    return codes[neighbors.indices]


def nearest(neighbors: NeighborList, k: int) -> NeighborList:
    """Return the k nearest of the neighbors of every row.

    Raises:
        LatentmapError: the list holds fewer than k neighbors per row.
    """
    if k > neighbors.k:
        raise LatentmapError(
            f"{k} nearest neighbors are asked for, and the neighbor graph holds {neighbors.k}. "
            f"Set the k of `neighbors` to {k} or more."
        )
    return NeighborList(neighbors.indices[:, :k], neighbors.distances[:, :k])
