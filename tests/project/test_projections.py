"""Every projection on planted clusters, on hard graphs and on very few samples."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.neighbors import NearestNeighbors

from latentmap.errors import LatentmapError
from latentmap.neighbors.graph import NeighborList
from latentmap.project.projection import PROJECTIONS

FAST = [
    ("pca", {}),
    ("pca", {"dims": 3}),
    ("tsne", {}),
    ("tsne", {"dims": 3}),
    ("umap", {}),
    ("umap", {"dims": 3}),
]


def refuse():
    raise AssertionError("the embedding was read")


def place(kind, options, values, graph):
    return PROJECTIONS.create(kind, options).place(lambda: values, graph)


def purity(coordinates, labels):
    """Share of the five nearest on the map that are of the same cluster."""
    found = NearestNeighbors(n_neighbors=6).fit(coordinates).kneighbors(return_distance=False)
    return (labels[found] == labels[:, None]).mean()


@pytest.mark.parametrize(("kind", "options"), FAST)
def test_planted_clusters_stay_apart(kind, options, clusters, graph_of):
    values, labels = clusters
    coordinates = place(kind, options, values, graph_of(values)).coordinates
    assert coordinates.shape == (240, options.get("dims", 2))
    assert coordinates.dtype == np.float32
    assert purity(coordinates, labels) > 0.97


@pytest.mark.parametrize("kind", ["tsne", "umap"])
def test_neighbors_of_the_embedding_are_neighbors_on_the_map(kind, graph_of):
    angle = np.sort(np.random.default_rng(2).uniform(0, 2 * np.pi, 300))
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ np.eye(2, 20)
    values = circle.astype(np.float32)
    graph = graph_of(values)
    coordinates = place(kind, {}, values, graph).coordinates
    found = NearestNeighbors(n_neighbors=15).fit(coordinates).kneighbors(return_distance=False)
    kept = [len(set(a) & set(b[:15])) / 15 for a, b in zip(found, graph.every.indices, strict=True)]
    assert np.mean(kept) > 0.7


@pytest.mark.parametrize(("kind", "options"), FAST)
def test_an_embedding_wider_than_long_is_not_read(kind, options, graph_of):
    values = np.random.default_rng(0).normal(size=(120, 200)).astype(np.float32)
    layout = PROJECTIONS.create(kind, options).place(refuse, graph_of(values))
    assert np.isfinite(layout.coordinates).all()


@pytest.mark.parametrize(("kind", "options"), [("tsne", {"perplexity": 9}), ("umap", {})])
def test_parts_of_a_broken_graph_are_placed_by_the_embedding(kind, options, graph_of):
    """Six far groups on a line, in shuffled order: neighbors on the line are near on the map."""
    random = np.random.default_rng(1)
    group = random.permutation(np.repeat(np.arange(6), 30))
    values = random.normal(size=(180, 3)).astype(np.float32)
    values[:, 0] += 1000 * group
    coordinates = place(kind, options, values, graph_of(values, 29)).coordinates
    centres = np.stack([coordinates[group == part].mean(axis=0) for part in range(6)])
    step = np.linalg.norm(np.diff(centres, axis=0), axis=1).mean()
    assert step < np.linalg.norm(centres[3:] - centres[:3], axis=1).mean()


@pytest.mark.parametrize(("kind", "options"), FAST)
@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 16, 17])
def test_few_samples_give_a_layout(kind, options, count, graph_of):
    values = np.random.default_rng(count).normal(size=(count, 6)).astype(np.float32)
    coordinates = place(kind, options, values, graph_of(values)).coordinates
    assert coordinates.shape == (count, options.get("dims", 2))
    assert np.isfinite(coordinates).all()
    assert count == 1 or np.ptp(coordinates, axis=0).max() > 0.1


@pytest.mark.parametrize(("kind", "options"), FAST)
@pytest.mark.parametrize("distinct", [1, 6])
def test_identical_rows_give_a_bounded_layout(kind, options, distinct, graph_of):
    values = np.random.default_rng(3).normal(size=(distinct, 8)).astype(np.float32)
    values = np.repeat(values, 200 // distinct, axis=0)
    coordinates = place(kind, options, values, graph_of(values)).coordinates
    assert np.isfinite(coordinates).all()
    assert np.ptp(coordinates, axis=0).max() < 100


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("tsne", {"init": "random"}),
        ("tsne", {"init": "random", "dims": 3}),
        ("umap", {"init": "random"}),
        ("umap", {"init": "spectral"}),
        ("umap", {"init": "pca", "engine": "umap-learn"}),
        ("umap", {"init": "random", "engine": "umap-learn"}),
    ],
)
def test_a_map_from_another_start_keeps_clusters_but_is_another(kind, options, clusters, graph_of):
    values, labels = clusters
    graph = graph_of(values)
    found = place(kind, options, values, graph).coordinates
    assert purity(found, labels) > 0.99
    np.testing.assert_array_equal(found, place(kind, options, values, graph).coordinates)
    usual = place(
        kind, {**options, "init": "spectral" if "engine" in options else "pca"}, values, graph
    )
    assert not np.allclose(found, usual.coordinates, atol=1)


@pytest.mark.parametrize("options", [{}, {"dims": 3}])
def test_tsne_does_not_depend_on_the_unit_of_distance(options, graph_of):
    values = np.random.default_rng(4).normal(size=(100, 5)).astype(np.float32)
    graph = graph_of(values)
    scaled = replace(
        graph, every=NeighborList(graph.every.indices, graph.every.distances * np.float32(2**-40))
    )
    np.testing.assert_array_equal(
        place("tsne", options, values, graph).coordinates,
        place("tsne", options, values * np.float32(2**-40), scaled).coordinates,
    )


def test_pca_tells_the_explained_variance(graph_of):
    values = np.diag([3, 2, 1]).repeat(2, axis=0).astype(np.float32)
    values[1::2] *= -1
    layout = place("pca", {}, values, graph_of(values))
    assert layout.facts["explained_variance"] == pytest.approx([9 / 14, 4 / 14])


def test_tsne_tells_a_reduced_perplexity(graph_of):
    values = np.random.default_rng(0).normal(size=(31, 4)).astype(np.float32)
    assert place("tsne", {}, values, graph_of(values)).facts == {"perplexity": 10}


@pytest.mark.parametrize(
    ("kind", "options", "k", "message"),
    [
        ("tsne", {}, 15, "t-SNE of perplexity 30 needs 90 neighbors .* has 15: set neighbors.k"),
        ("umap", {"n_neighbors": 20}, 15, "UMAP needs 20 neighbors .* has 15: set neighbors.k"),
    ],
)
def test_a_graph_with_too_few_neighbors_is_refused(kind, options, k, message, graph_of):
    values = np.random.default_rng(0).normal(size=(150, 4)).astype(np.float32)
    with pytest.raises(LatentmapError, match=message):
        place(kind, options, values, graph_of(values, k))


@pytest.mark.parametrize("hole", [(-1, np.inf), (3, np.inf), (-1, 1.0)])
def test_a_row_with_missing_neighbors_is_refused(hole, graph_of):
    values = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    graph = graph_of(values, 15)
    graph.every.indices[7, 12], graph.every.distances[7, 12] = hole
    with pytest.raises(LatentmapError, match=r"less than 15 neighbors in row 7 .id 's7'"):
        place("umap", {}, values, graph)


def test_manifolds_rs_refuses_three_dimensions_of_tsne():
    with pytest.raises(ValidationError, match="2D t-SNE only"):
        PROJECTIONS.create("tsne", {"engine": "manifolds-rs", "dims": 3})


def test_another_seed_gives_another_map(clusters, graph_of):
    values, _ = clusters
    graph = graph_of(values)
    first, second = (place("umap", {"seed": seed}, values, graph).coordinates for seed in (0, 1))
    assert not np.array_equal(first, second)


REPEAT = """
import hashlib, json, numpy as np
from latentmap.neighbors.exact import find_neighbors
from latentmap.project.projection import PROJECTIONS
values = np.random.default_rng(0).normal(size=(250, 400)).astype(np.float32)
ids = [str(row) for row in range(250)]
graph = find_neighbors(ids, values[:, :30].copy(), ids, 90)
print(json.dumps([
    hashlib.sha256(PROJECTIONS.create(kind, options).place(lambda: values, graph)
    .coordinates.tobytes()).hexdigest() for kind, options in json.loads(%r)
]))
"""


def test_fresh_processes_agree_to_the_byte_whatever_their_threads():
    def hashes(threads):
        variables = ("RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
        result = subprocess.run(
            [sys.executable, "-c", REPEAT % json.dumps(FAST)],
            env=dict.fromkeys(variables, str(threads)),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(result.stdout)

    first = hashes(1)
    assert len(set(first)) == len(FAST)
    assert hashes(2) == first


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options"),
    [("umap", {"engine": "umap-learn"}), ("tsne", {"engine": "openTSNE"})],
)
def test_the_other_engines_keep_clusters_too(kind, options, clusters, graph_of):
    values, labels = clusters
    coordinates = place(kind, options, values, graph_of(values)).coordinates
    assert coordinates.dtype == np.float32
    assert purity(coordinates, labels) > 0.97
