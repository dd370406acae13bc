"""Samples placed into the maps of a reference run."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.decomposition import PCA

from latentmap.errors import LatentmapError
from latentmap.neighbors.exact import find_neighbors
from latentmap.project.place import project_embedding
from latentmap.project.placement import (
    Reference,
    linear_places,
    memberships,
    nearest_in,
    weighted_places,
)
from latentmap.project.projection import PROJECTIONS
from latentmap.project.reference import (
    ReferenceFiles,
    check_encoder,
    far_share,
    project_into_reference,
)
from latentmap.store.latents import write_latents


def places(path, rows=slice(None)):
    table = pq.read_table(path)
    axes = [table[axis].to_numpy() for axis in ("x", "y", "z") if axis in table.column_names]
    return np.stack(axes, axis=1)[rows]


@pytest.fixture
def runs(files, tmp_path):
    """Return a function that writes a reference run with its map, and another run's embedding."""

    def write(old, new, kind, options=None, dims=2):
        projection = PROJECTIONS.create(kind, {"dims": dims, **(options or {})})
        given = files(old)
        project_embedding(given.embedding, given.neighbors, given.samples, projection, given.output)
        kept = {
            name: getattr(given, name).rename(tmp_path / f"reference-{name}.parquet")
            for name in ("embedding", "neighbors", "output")
        }
        reference = ReferenceFiles("before", kept["embedding"], kept["neighbors"], kept["output"])
        return reference, files(new), projection

    return write


def extend(reference, given, projection):
    project_into_reference(given.embedding, given.samples, projection, reference, given.output)
    return places(given.output), json.loads(pq.read_schema(given.output).metadata[b"latentmap"])


@pytest.mark.parametrize("shape", [(200, 12), (40, 300)])
def test_principal_components_are_those_that_scikit_learn_transforms_to(runs, shape):
    rng = np.random.default_rng(0)
    spread = np.linspace(3, 0.5, shape[1])
    old = (rng.normal(size=shape) * spread + 5).astype(np.float32)
    new = (rng.normal(size=(30, shape[1])) * spread + 5).astype(np.float32)
    reference, given, projection = runs(old, new, "pca", dims=3)
    found, facts = extend(reference, given, projection)
    model = PCA(3, svd_solver="full").fit(old.astype(np.float64))
    expected = model.transform(new.astype(np.float64))
    signs = np.sign((places(reference.map) * model.transform(old)).sum(axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=2e-3)
    assert facts["reference"] == "before"


def test_a_run_that_was_itself_placed_is_no_reference(runs, clusters, tmp_path):
    values, _ = clusters
    reference, given, projection = runs(values, values[:60], "pca")
    extend(reference, given, projection)
    placed = given.output.rename(tmp_path / "placed.parquet")
    second = ReferenceFiles("after", given.embedding, given.neighbors, placed)
    with pytest.raises(LatentmapError, match="Set reference_run to 'before'"):
        extend(second, given, projection)


@pytest.mark.parametrize("kind", ["umap", "tsne"])
def test_a_sample_that_coincides_with_one_of_the_reference_lands_on_it(runs, clusters, kind):
    values, _ = clusters
    rows = np.array([3, 70, 200])
    reference, given, projection = runs(values, values[rows], kind)
    before = reference.map.read_bytes()
    found, facts = extend(reference, given, projection)
    np.testing.assert_array_equal(found, places(reference.map, rows))
    assert reference.map.read_bytes() == before
    assert facts["far"] == 0
    assert pq.read_table(given.output)["id"].to_pylist() == ["s0", "s1", "s2"]


def test_further_samples_land_in_their_own_cluster(runs, clusters):
    values, labels = clusters
    rng = np.random.default_rng(1)
    new = values + rng.normal(scale=0.5, size=values.shape).astype(np.float32)
    reference, given, projection = runs(values, new, "umap", {"pca": 5})
    found, _ = extend(reference, given, projection)
    nearest = nearest_in(found, places(reference.map), 1).indices[:, 0]
    assert (labels[nearest] == labels).all()


def test_the_share_of_far_samples_is_told(runs, clusters):
    values, _ = clusters
    new = np.concatenate([values[:30], values[:10] + 1000])
    reference, given, projection = runs(values, new, "umap")
    assert extend(reference, given, projection)[1]["far"] == 0.25


def test_a_sample_is_far_beyond_what_99_of_100_of_the_reference_are():
    old = np.append(np.arange(100), 150).astype(np.float32)[:, np.newaxis]
    names = [str(row) for row in range(101)]
    graph = find_neighbors(names, old, names, 1)
    # Of 101 samples 100 have a neighbor at 1, the last at 51: the 99th percentile is 1.
    new = np.array([-1, -1.5, 50.5, 149.5, 300], np.float32)[:, np.newaxis]
    assert far_share(new, old, graph) == pytest.approx(2 / 5)
    # Where all twins are of one group, the nearest of other groups says what is usual.
    twins = np.repeat(old, 2, axis=0)
    groups = np.repeat(names, 2).tolist()
    graph = find_neighbors([f"{row}" for row in range(202)], twins, groups, 1)
    assert far_share(new, twins, graph) == pytest.approx(2 / 5)


def test_memberships_have_the_bandwidth_of_umap():
    distances = np.sort(np.random.default_rng(2).gamma(3, size=(20, 15)), axis=1)
    weights = memberships(distances)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    # w is proportional to exp(-d / s), and the exp(-d / s) add up to log2(k).
    bandwidths = (distances[:, 1] - distances[:, 0]) / np.log(weights[:, 0] / weights[:, 1])
    sums = np.exp(-distances / bandwidths[:, np.newaxis]).sum(axis=1)
    np.testing.assert_allclose(sums, np.log2(15), rtol=1e-6)
    shared = memberships(np.array([[0.0, 0.0, 1.0], [2.0, 2.0, 2.0]]))
    np.testing.assert_allclose(shared, [[0.5, 0.5, 0], [1 / 3] * 3])


def test_a_sample_between_others_lies_between_them():
    values = np.array([[0, 0], [2, 0]], np.float32)
    reference = Reference(values, np.array([[0, 10], [4, 10]], np.float32))
    np.testing.assert_allclose(
        weighted_places(np.array([[1, 0]], np.float32), reference), [[2, 10]]
    )
    flat = Reference(values, np.array([[-1, 0], [1, 0]], np.float32))
    np.testing.assert_allclose(linear_places(np.array([[5, 7]], np.float32), flat), [[4, 0]])


def test_nearest_rows_are_exact_far_from_the_origin():
    rng = np.random.default_rng(3)
    table = (1e4 + rng.normal(size=(300, 20))).astype(np.float32)
    values = table[:50] + rng.normal(scale=1e-3, size=(50, 20)).astype(np.float32)
    found = nearest_in(values, table, 4)
    exact = np.linalg.norm(values[:, None].astype(float) - table.astype(float), axis=2)
    np.testing.assert_array_equal(found.indices, exact.argsort(axis=1, kind="stable")[:, :4])
    np.testing.assert_allclose(found.distances, np.sort(exact, axis=1)[:, :4], rtol=1e-6)


def test_what_differs_between_the_runs_is_named(runs, clusters, tmp_path):
    values, _ = clusters
    reference, given, _ = runs(values, values[:, :5], "umap", {"n_neighbors": 10})
    same = PROJECTIONS.create("umap", {"n_neighbors": 10})
    with pytest.raises(LatentmapError, match=r"has 5 dimensions where .* has 12"):
        extend(reference, given, same)
    other = PROJECTIONS.create("umap", {"n_neighbors": 12, "min_dist": 0.5})
    with pytest.raises(
        LatentmapError, match=r"n_neighbors 10 there, 12 here; min_dist 0\.1 there, 0\.5 here"
    ):
        extend(reference, given, other)
    with pytest.raises(LatentmapError, match="kind umap there, tsne here"):
        extend(reference, given, PROJECTIONS.create("tsne"))
    latents = tmp_path / "latents.arrow"
    settings = {"normalize": False, "precision": "float32"}
    made = {"encoder": {"kind": "sentence", "revision": "abc", "settings": settings}}
    write_latents(latents, ["a"], np.zeros((1, 3), np.float32), made)
    check_encoder(latents, "sentence", "abc", settings)
    check_encoder(latents, "sentence", None, settings)
    with pytest.raises(LatentmapError, match="normalize False there, True here"):
        check_encoder(latents, "sentence", "abc", settings | {"normalize": True})
    with pytest.raises(LatentmapError, match="of revision 'abc', this run has 'def'"):
        check_encoder(latents, "sentence", "def", settings)


def test_boxes_must_be_drawn_the_same_way(tmp_path):
    latents, drawn = tmp_path / "latents.arrow", {"line_width": 0.01, "colors": ["#000000"]}
    made = {"encoder": {"kind": "dct", "revision": "", "settings": {}}, "draw": drawn}
    write_latents(latents, ["a"], np.zeros((1, 3), np.float32), made)
    check_encoder(latents, "dct", "", {}, dict(drawn))
    with pytest.raises(LatentmapError, match=r"\(draw\.line_width 0\.01 there, 0\.02 here\)\. Use"):
        check_encoder(latents, "dct", "", {}, drawn | {"line_width": 0.02})
