"""Counterfactual pairs: planted changes are found, and nothing where there is nothing."""

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.metrics.inference import StatisticsOptions
from latentmap.store.tables import read_parquet, write_arrow, write_embedding
from latentmap.targets.columns import SampleColumns
from latentmap.targets.counterfactuals import SCHEMA, compare_pairs
from latentmap.targets.directions import (
    adjusted,
    direction_of,
    directions,
    moves_of,
    random_signs,
    size_of,
)
from latentmap.targets.pairs import Change, PairOptions, find_changes


def planted(rng: np.random.Generator, groups: int, move: np.ndarray, each: int = 1) -> tuple:
    """Make pairs that a change moves by `move` and by noise of length about 1, some to a group."""
    dims = len(move)
    before = rng.normal(size=(groups * each, dims))
    noise = rng.normal(size=(groups, dims)).repeat(each, axis=0) / np.sqrt(dims)
    after = before + move + noise + 0.1 * rng.normal(size=before.shape) / np.sqrt(dims)
    count = groups * each
    rows = np.stack([np.arange(count), count + np.arange(count)], axis=1)
    change = Change("side", "left", "right", rows, np.arange(groups).repeat(each))
    return change, np.concatenate([before, after]).astype(np.float32)


def test_the_direction_is_the_mean_cosine_between_pairs_of_different_groups() -> None:
    change, rows = planted(np.random.default_rng(0), groups=7, move=np.ones(5), each=3)
    apart = (rows[change.rows[:, 1]] - rows[change.rows[:, 0]]).astype(np.float64)
    cosines = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        for (i, a), (j, b) in itertools.permutations(enumerate(apart), 2)
        if change.groups[i] != change.groups[j]
    ]
    found = directions(moves_of(change, rows, 7), np.ones((1, 7)))
    assert found == pytest.approx([np.mean(cosines)], abs=1e-6)


def test_the_direction_is_the_planted_one() -> None:
    # Of a shift of length m in noise of variance v in each of D dimensions, by the law of large
    # numbers for large D: cosines are m² / (m² + D v).
    dims, shift = 4000, 1.5
    move = np.full(dims, shift / np.sqrt(dims))
    change, rows = planted(np.random.default_rng(1), groups=40, move=move)
    direction = direction_of(moves_of(change, rows, 40), random_signs(40, 199, 0), seed=0)
    true = shift**2 / (shift**2 + 1 + 0.01)
    assert direction.value == pytest.approx(true, abs=0.02)
    assert direction.low < true < direction.high
    assert direction.p == 1 / 200


@pytest.mark.parametrize("each", [1, 3])
def test_p_is_uniform_where_a_change_means_nothing(each: int) -> None:
    rng = np.random.default_rng(2)
    found = []
    for seed in range(400):
        change, rows = planted(rng, groups=12, move=np.zeros(6), each=each)
        signs = random_signs(12, 99, seed)
        found.append(direction_of(moves_of(change, rows, 12), signs, seed).p)
    for level in (0.05, 0.2, 0.5):
        expected = 400 * level
        assert abs(np.sum(np.array(found) <= level) - expected) < 3.5 * np.sqrt(
            expected * (1 - level)
        )


def test_intervals_cover_a_planted_direction() -> None:
    rng, move = np.random.default_rng(3), np.array([1.2, 0, 0, 0, 0, 0])
    change, rows = planted(rng, groups=3000, move=move)
    true = directions(moves_of(change, rows, 3000), np.ones((1, 3000)))[0]
    covered = 0
    for seed in range(300):
        change, rows = planted(rng, groups=24, move=move)
        found = direction_of(moves_of(change, rows, 24), random_signs(24, 1, 0), seed)
        covered += found.low <= true <= found.high
    assert 0.92 <= covered / 300 <= 0.985


def test_max_t_errs_in_one_of_twenty_families() -> None:
    rng, errors = np.random.default_rng(4), 0
    for seed in range(200):
        signs = random_signs(15, 99, seed)
        family = []
        for _ in range(6):
            change, rows = planted(rng, groups=15, move=np.zeros(4))
            family.append(direction_of(moves_of(change, rows, 15), signs, seed))
        errors += (adjusted(family) <= 0.05).any()
    assert abs(errors - 10) < 3.5 * np.sqrt(9.5)


def test_a_change_that_moves_nothing_has_no_direction_and_no_size() -> None:
    change, rows = planted(np.random.default_rng(5), groups=12, move=np.zeros(8))
    rows[change.rows[:, 1]] = rows[change.rows[:, 0]] * np.float32(1 + 1e-7)
    moves = moves_of(change, rows, 12)
    direction = direction_of(moves, random_signs(12, 19, 0), seed=0)
    assert np.isnan([direction.value, direction.low, direction.p]).all()
    other, others = planted(np.random.default_rng(5), groups=12, move=np.ones(8))
    size = size_of(moves, [moves_of(other, others, 12)], seed=0)
    assert (size.value, size.low, size.high) == (0, 0, 0)
    found = direction_of(moves_of(other, others, 12), random_signs(12, 19, 0), seed=0)
    assert adjusted([direction, found]) == pytest.approx([np.nan, found.p], nan_ok=True)


def test_the_size_is_the_ratio_of_lengths_and_its_interval_covers_it() -> None:
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        lengths = rng.exponential(size=(2, 20)) * np.array([[3.0], [1.5]])
        rows = np.zeros((60, 2), np.float32)
        rows[20:40, 0], rows[40:, 1] = lengths
        pairs = np.stack([np.arange(20), 20 + np.arange(20)], axis=1)
        one, other = (
            moves_of(Change("", "", "", pairs + np.array([0, more]), np.arange(20)), rows, 20)
            for more in (0, 20)
        )
        size = size_of(one, [other], seed)
        assert size.value == pytest.approx(lengths[0].mean() / lengths[1].mean())
        covered += size.low <= 2 <= size.high
    assert 0.91 <= covered / 200 <= 0.99


SAMPLES = {
    "id": ["a1", "a2", "a3", "a4", "b1", "b2", "c1", "d1", "d2", "e1"],
    "pair": ["a", "a", "a", "a", "b", "b", "c", "d", "d", None],
    "source_group": ["p", "p", "p", "p", "q", "q", "q", "r", "q", "s"],
    "side": ["left", "right", "left", "right", "right", "left", "left", "left", None, "left"],
    "light": [10, 10, 9, 9, 9, 9, 9, 9, 10, 9],
}


@pytest.fixture
def columns(tmp_path: Path) -> SampleColumns:
    write_arrow(tmp_path / "samples.arrow", pa.table(SAMPLES))
    return SampleColumns([tmp_path / "samples.arrow"])


def test_pairs_differ_in_one_thing_and_go_from_small_to_large(columns: SampleColumns) -> None:
    side, light = find_changes(PairOptions(changes=("side", "light")), columns)
    ids = SAMPLES["id"]
    assert [(ids[a], ids[b]) for a, b in side.rows] == [("a1", "a2"), ("a3", "a4"), ("b2", "b1")]
    assert [(ids[a], ids[b]) for a, b in light.rows] == [("a3", "a1"), ("a4", "a2")]
    assert (side.before, side.after) == ("left", "right")
    assert (light.before, light.after) == ("9", "10")
    # b and d share the source group q, a has one of its own.
    assert side.groups.tolist() == [0, 0, 1] and light.groups.tolist() == [0, 0]


def test_what_cannot_be_paired_is_one_line(columns: SampleColumns) -> None:
    with pytest.raises(LatentmapError, match=r"pairs\.changes: no two samples .* 'light' alone"):
        find_changes(PairOptions(column="source_group", changes=("light", "id")), columns)
    with pytest.raises(LatentmapError, match=r"pairs\.column: Unknown column .* 'pairs'"):
        find_changes(PairOptions(column="pairs", changes=("side",)), columns)
    with pytest.raises(ValueError, match="'light' is none of the changes"):
        PairOptions(changes=("side",), irrelevant=("light",))


def test_the_table_says_what_every_change_does_to_every_embedding(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    sides, lights = np.meshgrid([0, 1], [0, 1])
    count = 14
    samples = {
        "id": [f"{n}-{k}" for n in range(count) for k in range(4)],
        "pair": [str(n) for n in range(count) for _ in range(4)],
        "source_group": [str(n) for n in range(count) for _ in range(4)],
        "side": sides.ravel().tolist() * count,
        "light": lights.ravel().tolist() * count,
    }
    write_arrow(tmp_path / "samples.arrow", pa.table(samples))
    base = rng.normal(size=(count, 1, 8)).repeat(4, axis=1).reshape(-1, 8)
    side, light = (np.array(samples[name])[:, np.newaxis] for name in ("side", "light"))
    random = rng.normal(size=(count, 1, 8)).repeat(4, axis=1).reshape(-1, 8)
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    keeps = base + side * np.array([3.0, *[0] * 7]) + light * random
    loses = base + light * random
    embeddings = []
    for method, values in (("keeps", keeps), ("loses", loses)):
        path = tmp_path / f"{method}.parquet"
        write_embedding(path, samples["id"], values.astype(np.float32), 1)
        embeddings.append((("dct", "plain", method), path))
    options = PairOptions(changes=("side", "light"), irrelevant=("light",))
    statistics = StatisticsOptions(permutations=199)
    output = tmp_path / "pairs.parquet"
    paths = [tmp_path / "samples.arrow"]
    compare_pairs(options, paths, None, embeddings, ["dct"], statistics, "euclidean", output)
    table = read_parquet(output)
    assert table.schema == SCHEMA
    kept, light_kept, lost, light_lost = table.to_pylist()
    assert kept["direction"] == pytest.approx(1, abs=1e-5) and kept["p_adjusted"] == 1 / 200
    assert kept["size"] == pytest.approx(3, abs=1e-5) and kept["beside"] == "light"
    assert (kept["pairs"], kept["groups"], kept["unchanged"]) == (28, 14, 0)
    assert lost["direction"] is None and lost["size"] == 0 and lost["unchanged"] == 28
    for row in (light_kept, light_lost):
        assert row["size"] == pytest.approx(1) and row["p_adjusted"] > 0.05
        assert row["low"] < 0 < row["high"] and row["baseline"]

    options = PairOptions(changes=("side", "light"))
    compare_pairs(options, paths, None, embeddings, [], statistics, "euclidean", output)
    kept, *_ = read_parquet(output).to_pylist()
    assert kept["beside"] == "other pairs" and not kept["baseline"]
    # Samples of other pairs are at a distance of about sqrt(2 · 8).
    assert kept["size"] == pytest.approx(3 / 4, rel=0.25)


def test_blocks_change_no_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    change, rows = planted(np.random.default_rng(0), groups=9, move=np.ones(5), each=2)
    signs = random_signs(9, 20, 0)
    whole = directions(moves_of(change, rows, 9), signs)
    monkeypatch.setattr("latentmap.targets.directions.BLOCK", 11)
    np.testing.assert_allclose(directions(moves_of(change, rows, 9), signs), whole, atol=1e-6)
