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
    DensityOptions,
    LocalDensity,
    effective_number,
    local_density,
    write_sampling_weights,
)
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
    assert facts == {"k": 5, "samples": 80, "neighbors": {"exact": True}, "note": None}
