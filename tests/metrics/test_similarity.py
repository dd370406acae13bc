"""Similarity of embeddings: closed forms, SciPy, and its level by chance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latentmap.metrics import similarity
from latentmap.metrics.similarity import (
    gram,
    group_permutations,
    linear_cka,
    neighbor_jaccard,
    procrustes,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def free(rng, count, permutations=20):
    return group_permutations(np.arange(count), permutations, 0)


def test_source_groups_change_places_with_those_of_their_size():
    groups = np.array([2, 0, 0, 1, 2, 1, 0, 2, 1, 3, 3])
    seen = {tuple(permutation) for permutation in group_permutations(groups, 500, 0)}
    for permutation in map(list, seen):
        assert sorted(permutation) == list(range(11))
        assert len(set(zip(groups.tolist(), groups[permutation].tolist(), strict=True))) == 4
        # The only group of two samples stays, in either order.
        assert set(permutation[9:]) == {9, 10}
    assert len({tuple(groups[list(permutation)]) for permutation in seen}) == 6


def test_rows_of_a_single_source_group_move_freely():
    first, second = group_permutations(np.zeros(50, np.intp), 2, 0)
    assert sorted(first) == list(range(50))
    assert first.tolist() != second.tolist()


def test_jaccard_by_hand(rng):
    lists = [
        np.array([[1, 2], [0, 2], [0, 1], [0, 1]], np.int32),
        np.array([[2, 3], [0, 2], [3, -1], [2, -1]], np.int32),
    ]
    found = neighbor_jaccard(lists, np.arange(4), free(rng, 4))
    # 1/3, 2/2, 0/3, 0/3.
    assert found.values == pytest.approx(np.array([[1, 1 / 3], [1 / 3, 1]]))
    some = neighbor_jaccard(lists, np.array([0, 1]), free(rng, 4))
    assert some.values[0, 1] == pytest.approx(2 / 3)


def test_jaccard_of_unrelated_graphs_is_that_of_random_lists(rng):
    count, k = 150, 8
    lists = [
        np.array([rng.choice(np.delete(np.arange(count), row), k, False) for row in range(count)])
        for _ in range(2)
    ]
    found = neighbor_jaccard(lists, np.arange(count), free(rng, count, 100))
    expected = sum(
        math.comb(k, m)
        * math.comb(count - 1 - k, k - m)
        / math.comb(count - 1, k)
        * m
        / (2 * k - m)
        for m in range(k + 1)
    )
    assert found.chance[0, 1] == pytest.approx(expected, rel=0.03)
    assert found.chance[0, 1] < found.limit[0, 1] < 0.5


def test_permuting_samples_renames_their_neighbors(rng):
    """A chain's graph has the same neighbors under another numbering only if names change too."""
    chain = np.array([[1, 2], [0, 2], [1, 3], [2, 4], [3, 5], [4, 3]], np.int32)
    reverse = [np.arange(6)[::-1].copy()]
    symmetric = neighbor_jaccard([chain, chain], np.arange(6), reverse)
    # Row 5 - i renamed: 0: {1, 2}, 1: {0, 2}; all six lists are the same.
    assert symmetric.chance == pytest.approx(np.ones((2, 2)))


def test_cka_is_that_of_the_definition(rng):
    first, second = (
        rng.normal(size=(40, 3)) + 9,
        rng.normal(size=(40, 60)) @ rng.normal(size=(60, 60)),
    )
    found = linear_cka([gram(v.astype(np.float32)) for v in (first, second)], free(rng, 40))
    x, y = first - first.mean(axis=0), second - second.mean(axis=0)
    norm = np.linalg.norm
    expected = norm(y.T @ x) ** 2 / (norm(x.T @ x) * norm(y.T @ y))
    assert found.values[0, 1] == pytest.approx(expected, rel=1e-4)
    assert found.values[0, 0] == pytest.approx(1, abs=1e-5)


def test_chance_of_cka_is_the_mean_over_all_permutations(rng):
    """Its closed form: tr K tr L / ((n - 1) |K| |L|), Kazi-Aoual et al. 1995."""
    grams = [gram(rng.normal(size=(60, dims)).astype(np.float32)) for dims in (5, 20)]
    found = linear_cka(grams, free(rng, 60, 200))
    expected = np.trace(grams[0]) * np.trace(grams[1]) / 59
    assert found.chance[0, 1] == pytest.approx(expected, rel=0.03)
    assert found.values[0, 1] < found.limit[0, 1] * 1.3


def test_rotation_shift_and_factor_leave_cka_at_one(rng):
    values = rng.normal(size=(30, 6))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    others = [values, values @ rotation, 3 * values - 7, values[:, ::-1]]
    found = linear_cka([gram(v.astype(np.float32)) for v in others], free(rng, 30))
    np.testing.assert_allclose(found.values, 1, atol=1e-5)


def test_cka_of_constant_rows_is_not_defined(rng):
    grams = [gram(rng.normal(size=(9, 2)).astype(np.float32)), gram(np.full((9, 2), 0.1, "f4"))]
    found = linear_cka(grams, free(rng, 9))
    assert np.isnan(found.values).tolist() == [[False, True], [True, True]]


def test_groups_that_agree_by_themselves_do_not_count_as_agreement(rng):
    """Two embeddings that know the source group only, each in its own way."""
    groups = np.repeat(np.arange(12), 20)
    grams = [gram(rng.normal(size=(12, 8))[groups].astype(np.float32)) for _ in range(2)]
    free_limit = linear_cka(grams, free(rng, 240)).limit[0, 1]
    whole = linear_cka(grams, group_permutations(groups, 20, 0))
    assert free_limit < 0.1 < whole.values[0, 1]
    assert whole.values[0, 1] < whole.limit[0, 1]


SIZES = {
    "of one size": lambda rng: np.repeat(np.arange(20), 4),
    "of many sizes": lambda rng: np.repeat(np.arange(25), rng.integers(1, 8, 25)),
    "all of different sizes": lambda rng: np.repeat(np.arange(14), np.arange(2, 16)),
    "of two sizes": lambda rng: np.repeat(np.arange(20), [7, 2] * 10),
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_few_embeddings_that_share_nothing_but_source_groups_exceed_the_limit(rng, sizes):
    """Samples of a source group are close to each other in both of two unrelated embeddings."""
    above = []
    for seed in range(100):
        groups = sizes(rng)
        values = [
            2 * rng.normal(size=(groups.max() + 1, 3))[groups] + rng.normal(size=(len(groups), 3))
            for _ in range(2)
        ]
        permutations = group_permutations(groups, 30, seed)
        cka = linear_cka([gram(v.astype(np.float32)) for v in values], permutations)
        lists = [
            np.argsort(np.linalg.norm(v[:, np.newaxis] - v, axis=2), axis=1)[:, 1:6] for v in values
        ]
        jaccard = neighbor_jaccard(lists, np.arange(len(groups)), permutations)
        above.append([found.values[0, 1] > found.limit[0, 1] for found in (cka, jaccard)])
    # One in a hundred runs of tests at the 5 % level calls more than 10 of 100 significant.
    assert (np.mean(above, axis=0) <= 0.1).all()


def test_blocks_change_nothing(rng, monkeypatch):
    lists = [np.array([rng.choice(40, 5, False) for _ in range(40)], np.int32) for _ in range(9)]
    rows, permutations = np.arange(3, 31), free(rng, 40)
    whole = neighbor_jaccard(lists, rows, permutations)
    monkeypatch.setattr(similarity, "CELLS", 40 * 9 * 5)
    some = neighbor_jaccard(lists, rows, permutations)
    assert some.values == pytest.approx(whole.values)
    assert some.limit == pytest.approx(whole.limit)


def test_procrustes_is_scipy_s(rng):
    spatial = pytest.importorskip("scipy.spatial")
    maps = rng.normal(size=(3, 25, 2)) * np.array([1.0, 4.0])
    found = procrustes(list(maps), free(rng, 25))
    for i in range(3):
        for j in range(3):
            disparity = spatial.procrustes(maps[i], maps[j])[2]
            assert found.values[i, j] == pytest.approx(1 - disparity, abs=1e-9)


def test_a_turned_and_mirrored_map_is_the_same_map(rng):
    places = rng.normal(size=(20, 3))
    turned = -5 * places @ np.linalg.qr(rng.normal(size=(3, 3)))[0] + 2
    found = procrustes([places, turned, np.ones((20, 3))], free(rng, 20))
    assert found.values[0, 1] == pytest.approx(1)
    assert found.limit[0, 1] < 0.8
    assert np.isnan(found.values[:, 2]).all()
