"""The approximate graph against the exact one, and what it must hold however it is found."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from latentmap.neighbors import approximate, exact, search
from latentmap.neighbors.audit import audit
from latentmap.neighbors.search import NeighborOptions, find_neighbors

ROWS, K = 3000, 20


def mixture(rows=ROWS, dims=48, clusters=12):
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(clusters, dims))
    values = centres[rng.integers(clusters, size=rows)] + rng.normal(size=(rows, dims))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def names(numbers):
    return [str(number) for number in numbers]


def find(values, groups=None, k=K, index="approximate"):
    groups = names(range(len(values)) if groups is None else groups)
    options = NeighborOptions(k=k, index=index, audit=200)
    return find_neighbors(names(range(len(values))), values, groups, options)


def recall(found, expected):
    """The share of the exact neighbors' distances that a list reaches."""
    return (found.distances <= expected.distances[:, -1:]).mean()


@pytest.fixture(scope="module")
def values():
    return mixture()


@pytest.fixture(scope="module")
def groups():
    return np.random.default_rng(1).integers(0, ROWS // 3, ROWS)


@pytest.fixture(scope="module")
def graph(values, groups):
    return find(values, groups)


@pytest.fixture(scope="module")
def expected(values, groups):
    return find(values, groups, index="exact")


@pytest.mark.parametrize("name", ["every", "grouped"])
def test_nearly_all_exact_neighbors_are_found(graph, expected, name):
    found, wanted = getattr(graph, name), getattr(expected, name)
    assert recall(found, wanted) > 0.99
    same = found.indices == wanted.indices
    assert same.mean() > 0.95
    np.testing.assert_array_equal(found.distances[same], wanted.distances[same])


def test_every_list_is_filled_without_the_row_itself_or_its_group(graph, groups):
    rows = np.arange(ROWS)[:, np.newaxis]
    assert (graph.every.indices >= 0).all() and (graph.grouped.indices >= 0).all()
    assert not (graph.every.indices == rows).any()
    assert not (groups[graph.grouped.indices] == groups[:, np.newaxis]).any()
    for neighbors in (graph.every, graph.grouped):
        assert (np.diff(neighbors.distances, axis=1) >= 0).all()
        assert (np.diff(np.sort(neighbors.indices, axis=1), axis=1) > 0).all()


def test_the_audit_is_the_recall(graph, expected, values, groups):
    assert expected.audit is None
    assert (graph.audit.k, graph.audit.rows) == (K, 200)
    every = audit(graph, values, names(groups), ROWS, 0)
    shares = [recall(getattr(graph, n), getattr(expected, n)) for n in ("every", "grouped")]
    assert every.recall == pytest.approx(min(shares))


def test_a_group_that_fills_its_neighborhood_is_searched_beyond(values):
    """Whole clusters are groups: all neighbors of other groups are far away."""
    centre = np.abs(values @ values[:12].T).argmax(axis=1)
    graph, expected = find(values, centre), find(values, centre, index="exact")
    assert (graph.grouped.indices >= 0).all()
    assert (centre[graph.grouped.indices] != centre[:, np.newaxis]).all()
    assert recall(graph.grouped, expected.grouped) >= graph.audit.recall - 0.03


def test_identical_rows_are_neighbors_in_the_order_of_their_numbers(values):
    copied = values[np.random.default_rng(2).integers(0, 1500, ROWS)]
    graph, expected = find(copied), find(copied, index="exact")
    assert recall(graph.every, expected.every) > 0.99
    near = expected.every.distances == 0
    assert near.sum() > 1000
    np.testing.assert_array_equal(graph.every.indices[near], expected.every.indices[near])


def test_more_neighbors_than_the_descent_affords_come_from_blocks(values, monkeypatch):
    """Identical rows and full groups among them; no row is listed twice."""
    monkeypatch.setattr(approximate, "DEGREES", (10, 12))
    copied = values[np.sort(np.random.default_rng(3).integers(0, 2000, ROWS))]
    groups = np.arange(ROWS) // 25
    graph, expected = find(copied, groups), find(copied, groups, index="exact")
    for name in ("every", "grouped"):
        found, wanted = getattr(graph, name), getattr(expected, name)
        assert recall(found, wanted) > 0.97
        assert (np.diff(np.sort(found.indices, axis=1), axis=1) > 0).all()
        same = found.indices == wanted.indices
        np.testing.assert_array_equal(found.distances[same], wanted.distances[same])


def test_clusters_smaller_than_k_are_searched_beyond():
    """Fewer rows hang together than there are neighbors to list."""
    rng = np.random.default_rng(0)
    centres = 100 * rng.normal(size=(40, 8))
    values = np.repeat(centres, 35, axis=0) + rng.normal(size=(1400, 8))
    graph = find(values.astype(np.float32), k=50)
    assert (graph.every.indices >= 0).all() and (graph.grouped.indices >= 0).all()
    assert (graph.every.indices[:, :34] // 35 == np.arange(1400)[:, np.newaxis] // 35).all()


def test_many_copies_of_few_rows(values):
    copied = values[np.arange(ROWS) % 40]
    groups = np.arange(ROWS) // 400
    graph, expected = find(copied, groups, 5), find(copied, groups, 5, "exact")
    np.testing.assert_array_equal(graph.every.indices, expected.every.indices)
    np.testing.assert_array_equal(graph.grouped.distances, expected.grouped.distances)
    assert (groups[graph.grouped.indices] != groups[:, np.newaxis]).all()
    assert graph.audit.recall == 1


def test_a_missing_part_shows_in_the_audit(values, monkeypatch):
    """A descent that found nothing leaves each block to itself."""
    monkeypatch.setattr(approximate, "TOGETHER", 64)
    monkeypatch.setattr(
        approximate, "_descent", lambda points, k, seed: np.arange(len(points))[:, np.newaxis]
    )
    assert find(values).audit.recall < 0.9


def test_large_tables_are_searched_approximately_and_small_ones_never(values, monkeypatch):
    monkeypatch.setattr(search, "EXACT_ROWS", 2000)
    assert find(values, k=5, index="auto").audit is not None
    assert find(values[:1500], k=5, index="auto").audit is None
    few = find(values[:30], k=50)
    assert few.audit is None
    np.testing.assert_array_equal((few.every.indices >= 0).sum(axis=1), 29)


def test_threads_change_nothing(tmp_path):
    script = tmp_path / "find.py"
    script.write_text(
        "import sys\nimport numpy as np\n"
        "from latentmap.neighbors.graph import write_graph\n"
        "from latentmap.neighbors.search import NeighborOptions, find_neighbors\n"
        "values = np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)\n"
        "ids = [str(i) for i in range(2000)]\n"
        "options = NeighborOptions(k=10, index='approximate')\n"
        "write_graph(sys.argv[1], find_neighbors(ids, values, ids, options))\n"
        "assert 'pandas' not in sys.modules\n"
    )
    contents = []
    for threads in ("1", "2"):
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        output = tmp_path / f"{threads}.parquet"
        subprocess.run(
            [sys.executable, str(script), str(output)],
            env=limits | {"RAYON_NUM_THREADS": threads},
            check=True,
        )
        contents.append(output.read_bytes())
    assert contents[0] == contents[1]


def test_the_exact_search_is_the_same_through_both_doors(values):
    ids = names(range(300))
    door = find_neighbors(ids, values[:300], ids, NeighborOptions(k=5))
    direct = exact.find_neighbors(ids, values[:300], ids, 5)
    np.testing.assert_array_equal(door.every.indices, direct.every.indices)
