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
from latentmap.project.place import lay_out, project_embedding
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import (
    DOUBTFUL,
    Repeated,
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


def test_intrusion_adds_up_the_recall_that_is_lost_over_sizes_of_neighborhoods():
    values, map_ = normal(60, 5), normal(60, 2, seed=1)

    def order(rows):
        distances = np.linalg.norm(rows[:, None].astype(float) - rows, axis=2)
        return distances.argsort(axis=1)[:, 1:]

    def lost(original, shown):
        """Of one sample, on a logarithmic scale of sizes from 7 on."""
        return sum(
            len({*shown[:7]} - {*original[:size]}) / 7 * np.log2((size + 1) / size)
            for size in range(7, 60)
        )

    original = order(values)
    own = np.array([lost(*both) for both in zip(original, order(map_), strict=True)])
    near = np.column_stack([np.arange(60), original[:, :7]])
    (found,) = assess(values, [map_], 7)
    np.testing.assert_allclose(found.intrusion, own[near].mean(axis=1))


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


def in_a_plane(random, sizes=(40,) * 7, dims=10):
    """Groups around six corners and a centre of a plane, with noise in all dimensions."""
    angles = np.arange(6) * np.pi / 3
    corners = np.vstack([np.zeros((1, 2)), np.stack([np.cos(angles), np.sin(angles)], axis=1)])
    group = np.repeat(np.arange(7), sizes)
    values = random.normal(size=(len(group), dims))
    values[:, :2] += 9 * corners[group]
    return values.astype(np.float32), group


def of_own_dimensions(random):
    """Groups of 20 to 100 samples that vary in 2 to 20 dimensions of their own."""
    group = np.repeat(np.arange(6), (20, 30, 40, 60, 80, 100))
    values = 9 * random.normal(size=(6, 20))[group] / np.sqrt(2)
    for number, dims in enumerate((2, 3, 5, 8, 12, 20)):
        members = group == number
        values[members, :dims] += random.normal(size=(members.sum(), dims)) * np.sqrt(8 / dims)
    return values.astype(np.float32), group


def a_ring(random):
    angle = random.uniform(0, 2 * np.pi, 300)
    values = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ random.normal(size=(2, 12))
    return (values + 0.02 * random.normal(size=(300, 12))).astype(np.float32), None


def a_cloud(random):
    """One heavy-tailed group: an outskirts where neighborhoods are wide, and a dense middle."""
    return random.standard_t(5, size=(300, 6)).astype(np.float32), None


def mapped(values, kind, graph_of):
    layout = PROJECTIONS.create(kind).place(lambda: values, graph_of(values))
    return layout.coordinates


def moved_onto(map_, values, group, first, rank):
    """Move the group that is `rank`-nearest to a first one in the embedding onto it on the map.

    Returns:
        The map, and which samples are of the two groups.
    """
    centres = np.stack([values[group == one].mean(axis=0) for one in np.unique(group)])
    second = np.argsort(np.linalg.norm(centres - centres[first], axis=1))[rank]
    onto, from_ = (np.median(map_[group == one], axis=0) for one in (first, second))
    moved = np.where((group == second)[:, np.newaxis], map_ + (onto - from_), map_)
    return moved.astype(np.float32), np.isin(group, [first, second])


@pytest.mark.parametrize("rank", [1, -1], ids=["neighboring", "far"])
@pytest.mark.parametrize("kind", ["pca", "tsne", "umap"])
def test_groups_that_are_drawn_together_are_flagged_and_others_are_not(graph_of, kind, rank):
    flagged, others, by_ranks = [], [], []
    for seed in range(3):
        values, group = in_a_plane(np.random.default_rng(seed))
        map_ = mapped(values, kind, graph_of)
        for first in (0, 3):
            false_map, false = moved_onto(map_, values, group, first, rank)
            (found,) = assess(values, [false_map], 15)
            doubtful = found.trust < DOUBTFUL
            flagged.append(doubtful[false].mean())
            others.append(doubtful[~false].mean())
            by_ranks.append(
                (np.minimum(found.trustworthiness, found.continuity) < DOUBTFUL)[false].mean()
            )
    assert np.mean(flagged) > 0.9
    assert np.mean(others) < 0.02
    # What trustworthiness and continuity alone see of it.
    assert rank == -1 or np.mean(by_ranks) < 0.5


@pytest.mark.parametrize("draw", [in_a_plane, of_own_dimensions, a_ring, a_cloud])
@pytest.mark.parametrize("kind", ["pca", "tsne", "umap"])
def test_maps_without_planted_faults_are_doubted_as_much_as_by_trustworthiness(
    graph_of, kind, draw
):
    more = []
    for seed in range(3):
        values, _ = draw(np.random.default_rng(seed))
        (found,) = assess(values, [mapped(values, kind, graph_of)], 15)
        ranks = np.minimum(found.trustworthiness, found.continuity)
        more.append(np.mean((found.trust < DOUBTFUL) & (ranks >= DOUBTFUL)))
    assert np.mean(more) < 0.015


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


def test_of_many_samples_some_are_mapped_again_as_if_there_were_no_others(clusters, graph_of):
    values, _ = clusters
    rows = evenly_spaced(len(values), 100)
    umap = PROJECTIONS.create("umap", {"epochs": 30})

    def spread(of, **most):
        graph = graph_of(of)
        map_ = lay_out(lambda: of, graph, umap).coordinates
        return Repeated(lambda: of, graph, **most).spread(umap, map_, 1)

    found = spread(values, most=100)
    np.testing.assert_array_equal(np.flatnonzero(np.isfinite(found)), rows)
    np.testing.assert_array_equal(found[rows], spread(values[rows]))
    assert spread(values).tolist() != found.tolist()


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
        assert list(columns) == [
            *("trustworthiness", "continuity", "recall", "intrusion", "trust", "spread")
        ]
        assert table["id"].to_pylist()[:2] == ["s0", "s1"]
        rows = evenly_spaced(240, 120)
        for name in list(columns)[:5]:
            assert np.flatnonzero(np.isfinite(columns[name])).tolist() == rows.tolist()
        for name in list(columns)[:3]:
            assert facts[name] == pytest.approx(np.nanmean(columns[name]), abs=1e-5)
        assert facts["intrusion"] == pytest.approx(np.nanmedian(columns["intrusion"]), abs=1e-5)
        assert facts["spread"] == pytest.approx(np.median(columns["spread"]), abs=1e-5)
        assert (facts["spread"] == 0) == (kind == "pca")
        trust = columns["trust"][rows]
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
