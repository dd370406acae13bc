"""The neighbor graph against brute force, and where distances are hard to tell apart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.neighbors import NearestNeighbors

from latentmap.errors import LatentmapError
from latentmap.neighbors import distances
from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import neighbor_labels, read_graph
from latentmap.neighbors.search import NeighborOptions, find_graph
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding


def find(values, k, groups=None):
    values = np.asarray(values, np.float32)
    ids = [str(row) for row in range(len(values))]
    return find_neighbors(ids, values, ids if groups is None else groups, k)


def brute(values, k, groups=None):
    """Distances and rows of the k nearest candidates, by distance and then row number."""
    values = np.asarray(values, np.float64)
    groups = np.arange(len(values)) if groups is None else np.asarray(groups)
    exact = np.sqrt(((values[:, None] - values) ** 2).sum(axis=2))
    exact[groups[:, None] == groups] = np.inf
    order = np.argsort(exact.astype(np.float32), axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(exact, order, axis=1)


@pytest.mark.parametrize("shape", [(300, 3), (200, 40), (120, 700)])
def test_equals_brute_force_of_scikit_learn(shape):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found, expected = NearestNeighbors(algorithm="brute").fit(values.astype(float)), find(values, 7)
    far, rows = found.kneighbors(n_neighbors=7)
    np.testing.assert_array_equal(expected.every.indices, rows)
    np.testing.assert_allclose(expected.every.distances, far, rtol=1e-5)


def test_groups_are_left_out_and_short_lists_filled_up():
    rng = np.random.default_rng(1)
    values, groups = rng.normal(size=(60, 4)).astype(np.float32), np.repeat([0, 1, 2], [50, 6, 4])
    graph = find(values, 12, [f"image {group}" for group in groups])
    rows, far = brute(values, 12, groups)
    known = np.isfinite(far)
    np.testing.assert_array_equal(graph.grouped.indices, np.where(known, rows, -1))
    np.testing.assert_allclose(graph.grouped.distances, far, rtol=1e-6)
    assert (known.sum(axis=1) == np.repeat([10, 12, 12], [50, 6, 4])).all()
    np.testing.assert_array_equal(graph.every.indices, brute(values, 12)[0])


def test_identical_rows_are_neighbors_at_distance_zero_but_never_of_themselves():
    values = [[5, 1], [0, 0], [5, 1], [5, 1], [2, 0]]
    graph = find(values, 3)
    np.testing.assert_array_equal(
        graph.every.indices, [[2, 3, 4], [4, 0, 2], [0, 3, 4], [0, 2, 4], [1, 0, 2]]
    )
    np.testing.assert_array_equal(graph.every.distances[0, :2], [0, 0])
    assert not (graph.every.indices == np.arange(5)[:, None]).any()


def test_ties_go_to_the_lower_row_number():
    side = np.arange(7)
    values = np.stack(np.meshgrid(side, side), axis=2).reshape(-1, 2) + 0.1
    rows, far = brute(np.float32(values), 6)
    graph = find(values, 6)
    np.testing.assert_allclose(graph.every.distances, far, rtol=1e-6)
    centre = 24
    np.testing.assert_array_equal(graph.every.indices[centre], [17, 23, 25, 31, 16, 18])
    np.testing.assert_array_equal(graph.every.indices[centre], rows[centre])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fewer_rows_than_neighbors(count):
    graph = find(np.arange(count)[:, None], 5)
    assert graph.every.indices.shape == graph.grouped.distances.shape == (count, 5)
    assert ((graph.every.indices >= 0).sum(axis=1) == count - 1).all()
    assert np.isinf(graph.every.distances[graph.every.indices < 0]).all()


def test_a_huge_common_offset_does_not_cancel_the_distances():
    values = np.random.default_rng(2).normal(size=(80, 6)).astype(np.float32) + np.float32(1e5)
    rows, far = brute(values, 9)
    graph = find(values, 9)
    np.testing.assert_array_equal(graph.every.indices, rows)
    np.testing.assert_allclose(graph.every.distances, far, rtol=1e-6)


@pytest.mark.parametrize("dims", [6, 600])
def test_tight_clusters_far_apart_keep_their_inner_order(dims):
    rng = np.random.default_rng(3)
    centres = np.repeat([[-3e3], [0], [7e3]], 50, axis=0)
    values = (rng.normal(size=(150, dims)) + centres).astype(np.float32)
    rows, far = brute(values, 9)
    graph = find(values, 9)
    np.testing.assert_array_equal(graph.every.indices, rows)
    np.testing.assert_allclose(graph.every.distances, far, rtol=1e-6)


def test_near_duplicates_of_wide_rows_are_told_apart():
    rng = np.random.default_rng(4)
    steps = np.array([0, 1, 3, 7, 15, 31]) * 1e-4
    points = rng.normal(size=(20, 1, 900)) + steps[:, None] * rng.normal(size=(20, 1, 900))
    values = points.reshape(-1, 900).astype(np.float32)
    rows, far = brute(values, 5)
    graph = find(values, 5)
    np.testing.assert_array_equal(graph.every.indices, rows)
    np.testing.assert_allclose(graph.every.distances, far, rtol=1e-6)


def test_blocks_of_rows_and_columns_change_nothing(monkeypatch):
    rng = np.random.default_rng(5)
    values = rng.normal(size=(90, 20)).astype(np.float32)[rng.integers(0, 70, 90)]
    groups = [str(group) for group in rng.integers(0, 12, 90)]
    whole = find(values, 8, groups)
    monkeypatch.setattr(distances, "BLOCK", 700)
    parts = find(values, 8, groups)
    for name in ("every", "grouped"):
        np.testing.assert_array_equal(getattr(parts, name).indices, getattr(whole, name).indices)
        np.testing.assert_array_equal(
            getattr(parts, name).distances, getattr(whole, name).distances
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named(bad):
    values = np.zeros((4, 3))
    values[2, 1] = bad
    with pytest.raises(LatentmapError, match=r"Row 2 \(id '2'\)"):
        find(values, 2)


def test_the_graph_file_holds_what_was_found(tmp_path):
    values = np.random.default_rng(6).normal(size=(20, 3)).astype(np.float32)
    ids, groups = [f"s{row}" for row in range(20)], [f"g{row // 4}" for row in range(20)]
    columns = {name: ["x"] * 20 for name in ("source", "label", "label_group", "digest")}
    columns |= {"id": ids, "source_group": groups}
    names = [name for name in SCHEMA.names if name in columns]
    samples = tmp_path / "shard.arrow"
    write_arrow(samples, pa.table({name: columns[name] for name in names}))
    write_embedding(tmp_path / "e.parquet", ids, values, 1)
    outputs = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for output in outputs:
        find_graph(tmp_path / "e.parquet", [samples], NeighborOptions(k=6), output)
    graph, expected = read_graph(outputs[0]), find_neighbors(ids, values, groups, 6)
    assert graph.ids == ids
    np.testing.assert_array_equal(graph.grouped.indices, expected.grouped.indices)
    np.testing.assert_array_equal(graph.every.distances, expected.every.distances)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()

    write_embedding(tmp_path / "e.parquet", ids[::-1], values, 1)
    with pytest.raises(LatentmapError, match=r"e\.parquet has id 's19' in row 0"):
        find_graph(tmp_path / "e.parquet", [samples], NeighborOptions(), outputs[0])


def test_labels_of_neighbors():
    graph = find([[0.0], [1.0], [5.0]], 3)
    found = neighbor_labels([7, 8, 9], graph.every)
    np.testing.assert_array_equal(found, [[8, 9, -1], [7, 9, -1], [8, 7, -1]])
