"""From files to a map's file."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.errors import LatentmapError
from latentmap.neighbors import search
from latentmap.neighbors.graph import Audit, read_graph, write_graph
from latentmap.project.components import principal_components
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
from latentmap.store.tables import write_embedding


def project(files, kind, **options):
    projection = PROJECTIONS.create(kind, options)
    project_embedding(files.embedding, files.neighbors, files.samples, projection, files.output)
    return pq.read_table(files.output)


def test_a_map_has_ids_float32_axes_and_facts(clusters, files):
    values, _ = clusters
    table = project(files(values), "pca", dims=3)
    assert table.schema.remove_metadata() == pa.schema(
        [("id", pa.string()), ("x", pa.float32()), ("y", pa.float32()), ("z", pa.float32())]
    )
    assert table["id"].to_pylist()[:2] == ["s0", "s1"]
    expected = principal_components(values, 3)
    np.testing.assert_array_equal(table["z"].to_numpy(), expected.coordinates[:, 2])
    facts = json.loads(table.schema.metadata[b"latentmap"])
    assert facts == {
        "explained_variance": expected.shares.tolist(),
        "projection": {"kind": "pca", "dims": 3, "seed": 0, "pca": None},
        "metric": "euclidean",
    }


@pytest.mark.parametrize("kind", ["pca", "tsne", "umap"])
def test_the_same_input_gives_the_same_bytes(kind, clusters, files):
    given = files(clusters[0])
    project(given, kind)
    first = given.output.read_bytes()
    given.output.unlink()
    project(given, kind)
    assert given.output.read_bytes() == first


def test_first_reducing_finds_neighbors_of_its_own(files):
    """Two informative axes, and noise spread so wide over many that it decides the neighbors."""
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    values = random.normal(scale=0.5, size=(120, 400))
    values[:, 0] += 12 * labels
    given = files(values.astype(np.float32))
    reduced = project(given, "umap", pca=2)
    plain = project(given, "umap")
    assert reduced["x"].to_pylist() != plain["x"].to_pylist()
    map_ = np.stack([reduced["x"], reduced["y"]], axis=1)
    nearest = np.linalg.norm(map_[:, None] - map_, axis=2).argsort(axis=1)[:, 1:11]
    assert (labels[nearest] == labels[:, None]).all()


@pytest.mark.parametrize("audit", [None, Audit(recall=0.9, k=30, rows=40)])
def test_neighbors_after_reducing_are_as_exact_as_those_before(files, monkeypatch, audit):
    values = np.random.default_rng(0).normal(size=(1100, 5)).astype(np.float32)
    given = files(values, k=30)
    write_graph(given.neighbors, replace(read_graph(given.neighbors), audit=audit))
    # What `auto` would choose is the other way.
    monkeypatch.setattr(search, "EXACT_ROWS", 0 if audit is None else 10**6)
    table = project(given, "umap", pca=3)
    facts = json.loads(table.schema.metadata[b"latentmap"])
    assert facts.get("neighbors", {}).get("rows") == (audit and audit.rows)


def test_more_components_than_the_embedding_has_are_no_error(files):
    values = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    assert len(project(files(values), "umap", pca=50)) == 40


def test_an_embedding_of_other_samples_is_named(clusters, files):
    values, _ = clusters
    given = files(values)
    write_embedding(given.embedding, ["other", *map(str, range(239))], values, 1)
    with pytest.raises(LatentmapError, match=r"mean\.parquet has id 'other' in row 0"):
        project(given, "umap")


def test_a_graph_with_too_few_neighbors_is_named(clusters, files):
    with pytest.raises(LatentmapError, match=r"graph\.parquet: t-SNE .* set neighbors\.k"):
        project(files(clusters[0], k=20), "tsne")
