"""Local density and sampling weights against closed forms and planted structure."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from latentmap.errors import LatentmapError
from latentmap.metrics.density import (
    COINCIDE,
    NO_DIMENSION,
    DensityOptions,
    LocalDensity,
    effective_number,
    local_density,
    write_sampling_weights,
)
from latentmap.metrics.intrinsic_dimension import intrinsic_dimension
from latentmap.metrics.measure import measure
from latentmap.metrics.metric import METRICS
from latentmap.neighbors.graph import Audit


def density_of(embed, values, k=10):
    return local_density(embed(values, ["a"] * len(values)).graph, k)


def test_points_on_a_grid_have_the_density_of_their_distances(embed):
    side = np.arange(5.0) * 0.5
    found = density_of(embed, np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), k=4)
    root = np.sqrt(2)
    corner, edge, inner = 0.5 * np.array([2 + root + 2, 3 + root, 4]) / 4
    expected = np.full((5, 5), inner)
    expected[[0, -1], :] = expected[:, [0, -1]] = edge
    expected[[0, 0, -1, -1], [0, -1, 0, -1]] = corner
    np.testing.assert_allclose(found.density, 1 / expected.reshape(-1), rtol=1e-6)
    np.testing.assert_allclose(found.weights, (expected / expected.sum()).reshape(-1), rtol=1e-6)
    assert found.note is None


def test_percentiles_rank_from_the_rarest_to_the_densest_and_ties_share():
    np.testing.assert_array_equal(
        LocalDensity(np.array([4.0, 1, 2, 2, 9])).percentile, [75, 0, 37.5, 37.5, 100]
    )
    assert LocalDensity(np.array([3.0])).percentile.tolist() == [50]


def test_copies_are_as_dense_as_the_densest_other_sample(embed):
    values = [[0.0]] * 4 + [[1.0], [2.0], [4.0]]
    found = density_of(embed, values, k=2)
    # Means of the two nearest: 0 for each copy; 1 for 1; (1 + 2) / 2 for 2; (2 + 3) / 2 for 4.
    np.testing.assert_allclose(1 / found.density, [1, 1, 1, 1, 1, 1.5, 2.5])
    assert found.note is not None and found.note.startswith("4 samples coincide")
    assert (found.weights > 0).all()


@pytest.mark.parametrize("values", [np.zeros((6, 2)), [[0.5]]])
def test_where_all_samples_coincide_sampling_stays_uniform(embed, values):
    found = density_of(embed, values)
    np.testing.assert_allclose(found.weights, 1 / len(values))
    assert (found.density == 1).all()
    assert found.note == COINCIDE


def test_fewer_samples_than_neighbors_are_said(embed):
    found = density_of(embed, [[0.0], [1.0], [3.0]])
    np.testing.assert_allclose(1 / found.density, [2, 1.5, 2.5])
    assert found.note == "With 3 samples the density is over all 2 others."


def test_a_graph_with_too_few_neighbors_is_refused(embed):
    with pytest.raises(LatentmapError, match="11 nearest neighbors are asked for"):
        density_of(embed, np.arange(30.0)[:, None], k=11)


def test_effective_sizes_by_their_formulas():
    assert effective_number(np.full(50, 0.02)) == pytest.approx(50)
    assert effective_number(np.array([0.5, 0.25, 0.25])) == pytest.approx(1 / 0.375)
    assert effective_number(np.array([6.0, 3, 3])) == pytest.approx(1 / 0.375)
    assert effective_number(np.array([0.25] * 4)) == pytest.approx(4)
    assert effective_number(np.array([0.9, 0.1])) == pytest.approx(1 / 0.82)


def test_uniform_data_is_sampled_nearly_uniformly(embed):
    # On a circle nobody is at a border.
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 2000)
    data = embed(np.stack([np.cos(angle), np.sin(angle)], axis=1), ["a"] * 2000, k=50)
    weights = local_density(data.graph, 50).weights
    assert effective_number(weights) > 0.97 * 2000


def test_a_dense_cluster_loses_weight_to_the_rare_samples(embed):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 0.01, (900, 2)), rng.normal(8, 1, (100, 2))])
    data = embed(values, ["common"] * 900 + ["rare"] * 100)
    metrics, labels = measure(data, dict.fromkeys(("density", "density_classes", "classes")))
    np.testing.assert_allclose(labels["density_share_uniform"], [0.9, 0.1])
    assert labels["density_share"].sum() == pytest.approx(1)
    assert labels["density_share"][1] > 0.8
    assert labels["density_percentile_q3"][1] < 10 < labels["density_percentile_q1"][0]
    weights = data.local_density.weights
    assert metrics["density_effective_sample_size"].value == pytest.approx(1 / (weights**2).sum())
    assert metrics["n_effective_classes"].value == pytest.approx(1 / (0.9**2 + 0.1**2))
    assert metrics["density_effective_classes"].value == pytest.approx(
        1 / (labels["density_share"] ** 2).sum()
    )
    # Draws by the weights have the shares that are said of them.
    drawn = rng.choice(1000, 20_000, p=weights)
    assert (drawn >= 900).mean() == pytest.approx(labels["density_share"][1], abs=0.02)


def two_regions(random, shape, dims, further=0):
    """A tenth of 1,000 samples far from the others, in a region of the same extent.

    In `dims` dimensions, turned into `further` ones more.
    """
    values = getattr(random, shape)(size=(1000, dims))
    values[:100, 0] += 1000
    turn = np.linalg.qr(random.normal(size=(dims + further, dims)))[0]
    return values @ turn.T


@pytest.mark.parametrize("shape", ["normal", "uniform"])
@pytest.mark.parametrize(
    ("dims", "further", "inverse"),
    [(1, 0, 0.45), (2, 0, 0.25), (2, 100, 0.25), (8, 0, 0.13), (64, 0, 0.11), (512, 0, 0.1)],
)
def test_draws_by_volume_meet_a_sparse_region_as_often_as_a_dense_one(
    embed, shape, dims, further, inverse
):
    """In any number of dimensions, where those by inverse density do in one only."""
    shares, sizes = [], []
    for seed in range(3):
        values = two_regions(np.random.default_rng(seed), shape, dims, further)
        graph = embed(values, ["a"] * 1000).graph
        both = [local_density(graph, 10, weights).weights for weights in ("inverse", "volume")]
        shares.append([weights[:100].sum() for weights in both])
        sizes.append(effective_number(both[1]))
    by_inverse, by_volume = np.mean(shares, axis=0)
    assert by_inverse == pytest.approx(inverse, abs=0.07)
    assert by_volume == pytest.approx(0.5, abs=0.12)
    assert min(sizes) >= 100


def test_a_wide_region_in_many_dimensions_leaves_a_tenth_of_the_samples(embed):
    random = np.random.default_rng(0)
    values = random.normal(size=(500, 64))
    values[:30] *= 4
    data = embed(values, ["a"] * 500)
    plain, capped = (local_density(data.graph, 10, weights) for weights in ("inverse", "volume"))
    assert effective_number(capped.weights) >= 50
    assert effective_number(plain.weights**capped.dimension) < 15
    assert effective_number(plain.weights) > 300
    assert (capped.weights > 0).all() and capped.weights.sum() == pytest.approx(1)
    # The cap keeps the order, and is the same for all that are above it.
    order = np.argsort(plain.weights)
    assert (np.diff(capped.weights[order]) >= 0).all()
    assert (capped.weights == capped.weights.max()).sum() >= 30
    # What is below the cap is to the power of the dimension.
    low, high = order[[100, 300]]
    ratio = np.log(capped.weights[high] / capped.weights[low])
    assert ratio == pytest.approx(
        capped.dimension * np.log(plain.weights[high] / plain.weights[low])
    )


@pytest.mark.parametrize("dims", [1, 2, 5])
def test_the_dimension_of_a_sphere(embed, dims):
    values = np.random.default_rng(dims).normal(size=(800, dims + 1))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    graph = embed(np.hstack([values, np.zeros((800, 7))]), ["a"] * 800).graph
    assert intrinsic_dimension(graph.every.distances) == pytest.approx(dims, rel=0.06)


def test_the_dimension_is_that_of_scikit_dimension(embed):
    """Version 0.5.0: `skdim.id.MLE(unbiased=False).fit(values, n_neighbors=10, comb="mle")`."""
    values = np.random.default_rng(0).normal(size=(500, 4))
    values /= np.linalg.norm(values, axis=1)[:, None]
    graph = embed(np.hstack([values, np.zeros((500, 2))]), ["a"] * 500).graph
    assert intrinsic_dimension(graph.every.distances) == pytest.approx(2.918426715789652, rel=1e-6)


def test_copies_do_not_tell_the_dimension_and_its_lack_is_said(embed):
    line = np.random.default_rng(0).uniform(size=(400, 1))
    once, twice = (embed(v, ["a"] * len(v)).graph for v in (line, np.repeat(line, 2, axis=0)))
    assert intrinsic_dimension(once.every.distances) == pytest.approx(1, abs=0.1)
    assert intrinsic_dimension(twice.every.distances) == pytest.approx(1, abs=0.15)
    for values in (np.eye(6), [[0.0], [1.0]]):
        found = local_density(embed(values, ["a"] * len(values)).graph, 10, "volume")
        assert found.dimension is None and NO_DIMENSION in found.note
        np.testing.assert_allclose(found.weights, 1 / len(values))


def test_the_k_of_the_run_decides_and_an_approximate_graph_is_said(embed, clusters):
    data = embed(*clusters)
    wide, narrow = (
        METRICS.create("density").measure(replace(data, density=DensityOptions(k=k)))
        for k in (10, 1)
    )
    name = "density_effective_sample_size"
    assert narrow[name].value < wide[name].value
    data = replace(data, graph=replace(data.graph, audit=Audit(0.97, 10, 80)))
    note = measure(data, {"density": None})[0][name].note
    assert note == "From approximate neighbors: recall@10 0.970."


def test_weights_on_disk(tmp_path, embed, clusters):
    data = embed(*clusters)
    found = local_density(data.graph, 5)
    path = tmp_path / "weights.parquet"
    write_sampling_weights(path, data.graph.ids, found, 5, data.graph.exactness)
    table = pl.read_parquet(path)
    assert table.schema == {
        "id": pl.String,
        "density": pl.Float32,
        "percentile": pl.Float32,
        "weight": pl.Float64,
    }
    assert table["id"].to_list() == data.graph.ids
    assert table["weight"].sum() == pytest.approx(1)
    np.testing.assert_allclose(table["weight"] * table["density"], 1 / (1 / found.density).sum())
    assert (table["percentile"].min(), table["percentile"].max()) == (0, 100)
    facts = json.loads(pq.read_schema(path).metadata[b"latentmap"])
    assert facts.pop("effective_sample_size") == pytest.approx(1 / (found.weights**2).sum())
    assert facts == {
        **{"k": 5, "samples": 80, "dimension": None, "note": None},
        "neighbors": {"exact": True},
    }
    by_volume = local_density(data.graph, 5, "volume")
    write_sampling_weights(path, data.graph.ids, by_volume, 5, data.graph.exactness)
    facts = json.loads(pq.read_schema(path).metadata[b"latentmap"])
    assert facts["dimension"] == pytest.approx(by_volume.dimension)
