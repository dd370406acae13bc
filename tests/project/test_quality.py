"""Trust in maps, against scikit-learn and planted faults."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.manifold import trustworthiness

from latentmap.errors import LatentmapError
from latentmap.neighbors import distances
from latentmap.neighbors.graph import Audit, read_graph, write_graph
from latentmap.project import quality
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import (
    DOUBTFUL,
    TrustOptions,
    assess,
    assess_maps,
    spread_over_seeds,
)
from latentmap.store.samples import evenly_spaced
from latentmap.store.tables import write_embedding


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(150, 8), (90, 700)])
@pytest.mark.parametrize("k", [5, 15])
def test_equals_scikit_learn(shape, k):
    values = normal(*shape)
    map_ = values[:, :2] + normal(len(values), 2, seed=1)
    (found,) = assess(values, [map_], k)
    exact, shown = values.astype(float), map_.astype(float)
    assert found.trustworthiness.mean() == pytest.approx(
        trustworthiness(exact, shown, n_neighbors=k), abs=1e-6
    )
    assert found.continuity.mean() == pytest.approx(
        trustworthiness(shown, exact, n_neighbors=k), abs=1e-6
    )


def test_recall_counts_the_neighbors_that_both_share():
    values, map_ = normal(60, 5), normal(60, 2, seed=1)

    def nearest(rows):
        distances = np.linalg.norm(rows[:, None].astype(float) - rows, axis=2)
        return distances.argsort(axis=1)[:, 1:8]

    (found,) = assess(values, [map_], 7)
    pairs = zip(nearest(values), nearest(map_), strict=True)
    np.testing.assert_allclose(found.recall, [len({*a} & {*b}) / 7 for a, b in pairs])


def test_an_embedding_is_a_perfect_map_of_itself_and_chance_is_one_half():
    values = normal(400, 3)
    same, turned, random = assess(values, [values, -3 * values, normal(400, 2, seed=1)], 15)
    for found in (same, turned):
        assert (found.trust == 1).all() and (found.recall == 1).all()
    assert random.trustworthiness.mean() == pytest.approx(0.5, abs=0.02)
    assert random.continuity.mean() == pytest.approx(0.5, abs=0.02)
    assert random.recall.mean() == pytest.approx(15 / 399, abs=0.01)


GROUP = np.repeat(np.arange(5), 40)


def along_a_line(places):
    """Groups of 40 samples at places along a line; their inner order is always the same."""
    return (np.array([[1000 * place, 0] for place in places]) + normal(200, 2)).astype(np.float32)


def test_a_planted_false_cluster_is_flagged():
    """The first and the last of five groups in a row share one place on the map."""
    (found,) = assess(along_a_line(GROUP), [along_a_line(np.array([0, 1, 2, 3, 0])[GROUP])], 15)
    false = np.isin(GROUP, [0, 4])
    assert (found.trust[false] < DOUBTFUL).all()
    assert (found.trustworthiness[false] < found.continuity[false]).all()
    assert (found.trust[~false] == 1).all()


def test_a_planted_torn_group_is_flagged():
    """Every other sample of the first group lies beyond the last one on the map."""
    torn = np.where((GROUP == 0) & (np.arange(200) % 2 == 0), 5, GROUP)
    (found,) = assess(along_a_line(GROUP), [along_a_line(torn)], 15)
    assert (found.trust[GROUP == 0] < DOUBTFUL).all()
    assert (found.continuity[GROUP == 0] < found.trustworthiness[GROUP == 0]).all()
    assert (found.trust[GROUP > 0] == 1).all()


def test_some_rows_are_assessed_against_all():
    values, map_ = normal(80, 4), normal(80, 2, seed=1)
    rows = evenly_spaced(80, 7)
    (whole,), (part,) = assess(values, [map_], 10), assess(values, [map_], 10, rows)
    assert np.flatnonzero(np.isfinite(part.trust)).tolist() == rows.tolist()
    for name in ("trustworthiness", "continuity", "recall"):
        np.testing.assert_array_equal(getattr(part, name)[rows], getattr(whole, name)[rows])


def test_blocks_change_nothing(monkeypatch):
    values, map_ = normal(80, 4), normal(80, 2, seed=1)
    (whole,) = assess(values, [map_], 10)
    monkeypatch.setattr(distances, "BLOCK", 400)
    monkeypatch.setattr(quality, "BLOCK", 700)
    (parts,) = assess(values, [map_], 10)
    np.testing.assert_array_equal(parts.trust, whole.trust)
    np.testing.assert_array_equal(parts.recall, whole.recall)


def test_samples_that_coincide_have_no_order_to_keep():
    """Copies of 20 samples lie near each other on the map, in any order."""
    values = np.repeat(10 * normal(20, 6), 40, axis=0)
    map_ = np.repeat(10 * normal(20, 2), 40, axis=0) + 1e-3 * normal(800, 2, seed=1)
    (found,) = assess(values, [map_], 15)
    assert (found.trustworthiness == 1).all() and (found.recall == 1).all()
    (constant,) = assess(np.ones((50, 3), np.float32), [normal(50, 2)], 15)
    assert (constant.trustworthiness == 1).all()


def test_few_samples_have_fewer_neighbors_or_none():
    (found,) = assess(normal(10, 3), [normal(10, 2)], 15)
    assert found.k == 4 and np.isfinite(found.trust).all()
    for count in (1, 2):
        (found,) = assess(normal(count, 3), [normal(count, 2)], 15)
        assert np.isnan(found.trust).all()


def test_a_map_that_is_turned_mirrored_moved_and_scaled_has_no_spread():
    map_ = normal(50, 2)
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])
    spread = spread_over_seeds(map_, lambda seed: 7 * seed * map_ @ turn + 3, [1, 2])
    np.testing.assert_allclose(spread, 0, atol=1e-6)


def test_spread_is_the_distance_moved_in_units_of_the_radius():
    """Four corners at distance 1 from the centre; two opposite ones change places."""
    map_ = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    step = np.array([[0.1, 0], [0, 0], [-0.1, 0], [0, 0]], np.float32)
    still = spread_over_seeds(map_, lambda seed: map_, [1, 2, 3])
    np.testing.assert_allclose(still, 0, atol=1e-7)
    moved = spread_over_seeds(map_, lambda seed: map_ + (-1) ** seed * step, [1, 2])
    np.testing.assert_allclose(moved, 0.05, atol=0.003)


def test_a_constant_map_has_a_spread_and_no_seed_has_none():
    place = np.ones((5, 2), np.float32)
    assert (spread_over_seeds(place, lambda seed: place, [1]) == 0).all()
    assert np.isnan(spread_over_seeds(place, lambda seed: place, [])).all()


def assessed(files, tmp_path, kinds, **options):
    projections = [PROJECTIONS.create(kind) for kind in kinds]
    maps = [tmp_path / f"{kind}.parquet" for kind in kinds]
    for projection, path in zip(projections, maps, strict=True):
        project_embedding(files.embedding, files.neighbors, files.samples, projection, path)
    outputs = [tmp_path / f"{kind}.trust.parquet" for kind in kinds]
    given = (files.embedding, files.neighbors, files.samples, maps, projections)
    assess_maps(*given, TrustOptions(**options), outputs)
    return outputs


def test_files_of_trust(clusters, files, tmp_path):
    values, _ = clusters
    kinds = ("pca", "umap")
    paths = assessed(files(values), tmp_path, kinds, seeds=1, samples=120)
    for kind, path in zip(kinds, paths, strict=True):
        table = pq.read_table(path)
        columns = {name: table[name].to_numpy() for name in table.column_names[1:]}
        facts = json.loads(table.schema.metadata[b"latentmap"])
        assert list(columns) == ["trustworthiness", "continuity", "recall", "spread"]
        assert table["id"].to_pylist()[:2] == ["s0", "s1"]
        rows = evenly_spaced(240, 120)
        for name in list(columns)[:3]:
            assert np.flatnonzero(np.isfinite(columns[name])).tolist() == rows.tolist()
            assert facts[name] == pytest.approx(np.nanmean(columns[name]), abs=1e-5)
        assert facts["spread"] == pytest.approx(np.median(columns["spread"]), abs=1e-5)
        assert (facts["spread"] == 0) == (kind == "pca")
        trust = np.minimum(columns["trustworthiness"], columns["continuity"])[rows]
        assert facts["doubtful"] == pytest.approx((trust < DOUBTFUL).mean(), abs=1e-5)
        assert (facts["k"], facts["assessed"], facts["seeds"]) == (15, 120, 1)


def test_files_without_seeds_and_of_two_samples_say_so(files, tmp_path):
    (path,) = assessed(files(normal(2, 3), k=1), tmp_path, ["umap"], seeds=0)
    table = pq.read_table(path)
    facts = json.loads(table.schema.metadata[b"latentmap"])
    assert facts["trustworthiness"] is None and facts["spread"] is None
    assert facts["assessed"] == 0
    assert np.isnan(table["trustworthiness"].to_numpy()).all()


def test_what_is_made_of_approximate_neighbors_says_so(clusters, files, tmp_path):
    given = files(clusters[0])
    graph = replace(read_graph(given.neighbors), audit=Audit(0.97, 90, 50))
    write_graph(given.neighbors, graph)
    paths = assessed(given, tmp_path, ["pca", "umap"], seeds=0)
    linear, placed = (json.loads(pq.read_schema(path).metadata[b"latentmap"]) for path in paths)
    assert "neighbors" not in linear
    assert placed["neighbors"] == graph.exactness


def test_the_same_input_gives_the_same_bytes(clusters, files, tmp_path):
    given = files(clusters[0])
    (path,) = assessed(given, tmp_path, ["umap"])
    first = path.read_bytes()
    path.unlink()
    assert assessed(given, tmp_path, ["umap"])[0].read_bytes() == first


def test_an_embedding_of_other_samples_is_named(clusters, files, tmp_path):
    given = files(clusters[0])
    path = tmp_path / "pca.parquet"
    projection = PROJECTIONS.create("pca")
    project_embedding(given.embedding, given.neighbors, given.samples, projection, path)
    write_embedding(given.embedding, ["other", *map(str, range(239))], clusters[0], 1)
    with pytest.raises(LatentmapError, match=r"mean\.parquet has id 'other' in row 0"):
        assess_maps(
            given.embedding,
            given.neighbors,
            given.samples,
            [path],
            [projection],
            TrustOptions(),
            [tmp_path / "trust.parquet"],
        )
