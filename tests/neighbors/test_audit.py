"""The audit of graphs with planted faults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from latentmap.neighbors import distances
from latentmap.neighbors.audit import audit
from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import Audit, NeighborList, read_graph, write_graph

IDS = [str(row) for row in range(120)]


def exact_graph(values, k=10):
    ids = [str(row) for row in range(len(values))]
    return find_neighbors(ids, values, ids, k)


def with_indices(graph, indices):
    return replace(graph, every=NeighborList(indices, graph.every.distances))


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)


def test_an_exact_graph_has_recall_one(values):
    assert audit(exact_graph(values), values, IDS, 50, 0) == Audit(1.0, 10, 50)
    copies = values[np.arange(120) % 7]
    assert audit(exact_graph(copies), copies, IDS, 120, 0).recall == 1


def test_planted_faults_are_counted(values, monkeypatch):
    """Of 10 neighbors, two are the farthest samples and one is missing."""
    graph = exact_graph(values)
    indices = graph.every.indices.copy()
    indices[:, :2] = exact_graph(values, 119).every.indices[:, -2:]
    indices[:, 5] = -1
    faulty = with_indices(graph, indices)
    assert audit(faulty, values, IDS, 500, 0) == Audit(0.7, 10, 120)
    monkeypatch.setattr(distances, "BLOCK", 700)
    assert audit(faulty, values, IDS, 500, 0) == Audit(0.7, 10, 120)


def test_a_sample_itself_is_no_neighbor(values):
    graph = exact_graph(values)
    indices = graph.every.indices.copy()
    indices[:, 0] = np.arange(120)
    assert audit(with_indices(graph, indices), values, IDS, 120, 0).recall == pytest.approx(0.9)


def test_the_seed_chooses_the_rows(values):
    graph = exact_graph(values)
    indices = graph.every.indices.copy()
    indices[:60] = -1
    recalls = [
        audit(with_indices(graph, indices), values, IDS, 20, seed).recall for seed in range(4)
    ]
    assert len(set(recalls)) > 1 and np.mean(recalls) == pytest.approx(0.5, abs=0.2)
    assert audit(with_indices(graph, indices), values, IDS, 20, 0).recall == recalls[0]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_rows(count, values):
    few = values[:count]
    assert audit(exact_graph(few), few, IDS[:count], 10, 0) == Audit(1.0, count - 1, count)


def test_the_file_says_whether_the_graph_is_exact(values, tmp_path):
    graph = exact_graph(values)
    write_graph(tmp_path / "exact.parquet", graph)
    assert pq.read_schema(tmp_path / "exact.parquet").metadata[b"latentmap"] == (
        b'{"exact": true, "metric": "euclidean"}'
    )
    assert read_graph(tmp_path / "exact.parquet").audit is None
    found = Audit(0.97, 10, 50)
    write_graph(tmp_path / "approximate.parquet", replace(graph, audit=found))
    assert read_graph(tmp_path / "approximate.parquet").audit == found
