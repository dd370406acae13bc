"""Embeddings with a known structure, and their files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import write_graph
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding


def names(count):
    return [f"s{row}" for row in range(count)]


@pytest.fixture
def graph_of():
    return lambda values, k=90: find_neighbors(names(len(values)), values, names(len(values)), k)


@pytest.fixture(scope="session")
def clusters():
    """Four Gaussian clusters of 60 rows in 12 dimensions, far apart; values and cluster of each."""
    random = np.random.default_rng(5)
    centres = random.normal(scale=6, size=(4, 12))
    labels = np.repeat(np.arange(4), 60)
    return (centres[labels] + random.normal(size=(240, 12))).astype(np.float32), labels


@dataclass
class Files:
    embedding: object
    neighbors: object
    samples: list
    output: object


@pytest.fixture
def files(tmp_path):
    def write(values, k=90):
        ids = names(len(values))
        found = Files(
            tmp_path / "mean.parquet",
            tmp_path / "graph.parquet",
            [tmp_path / "shard.arrow"],
            tmp_path / "map.parquet",
        )
        write_embedding(found.embedding, list(ids), values, 1)
        write_graph(found.neighbors, find_neighbors(ids, values, ids, k))
        empty = {field.name: pa.nulls(len(ids), field.type) for field in SCHEMA}
        write_arrow(found.samples[0], pa.table({**empty, "id": ids}))
        return found

    return write
