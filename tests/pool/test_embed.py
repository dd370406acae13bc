"""From shards of latents to the embedding's file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.pool import embed
from latentmap.pool.method import METHODS
from latentmap.store import tables
from latentmap.store.latents import write_latents
from latentmap.store.samples import BOXES
from latentmap.store.tables import read_embedding, read_tokens, write_arrow, write_embedding

SHAPE = (3, 6, 5)


def values_of(count: int, shape: tuple[int, ...] = SHAPE, seed: int = 0) -> NDArray[np.float16]:
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float16)


class Shards:
    """Shards of latents and of their samples in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.latents: list[Path] = []
        self.samples: list[Path] = []

    def add(self, values: NDArray, boxes: list | None = None, ids: list[str] | None = None) -> None:
        number = len(self.latents)
        expected = [f"{number}-{row}" for row in range(len(values))]
        self.latents.append(self.folder / f"latents-{number}.arrow")
        self.samples.append(self.folder / f"samples-{number}.arrow")
        write_latents(self.latents[-1], expected if ids is None else ids, values, {})
        table = {
            "id": pa.array(expected, pa.string()),
            "boxes": pa.array(boxes or [None] * len(values), BOXES),
            "width": pa.array([200] * len(values), pa.int32()),
            "height": pa.array([100] * len(values), pa.int32()),
        }
        write_arrow(self.samples[-1], pa.table(table))

    def pool(self, name: str, output: str = "embedding.parquet") -> Path:
        path = self.folder / output
        embed.pool_latents(METHODS.create(name), self.latents, self.samples, path)
        return path


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(tmp_path)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", ["mean", "percentiles", "patch4", "flatten", "mean_pca2"])
def test_embedding_is_the_method_over_all_shards(
    shards: Shards, name: str, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [values_of(7), values_of(0), values_of(4, seed=1)]
    for part in values:
        shards.add(part.astype(dtype))
    monkeypatch.setattr(embed, "BLOCK_BYTES", 3 * 4 * 90)
    ids, embedding = read_embedding(shards.pool(name))
    method = METHODS.create(name)
    everything = np.concatenate(values).astype(np.float32)
    assert read_tokens(shards.pool(name)) == method.tokens(everything.shape[1:])
    assert ids == [f"0-{i}" for i in range(7)] + [f"2-{i}" for i in range(4)]
    np.testing.assert_array_equal(embedding, method.finish(method.pool(everything, ())))


def test_empty_shards_may_have_any_shape(shards: Shards) -> None:
    shards.add(np.empty((0, 1), np.float16))
    shards.add(values_of(2))
    assert read_embedding(shards.pool("mean"))[1].shape == (2, 3)


def test_tokens_are_those_of_the_latents(shards: Shards) -> None:
    shards.add(values_of(2))
    assert read_tokens(shards.pool("patch4")) == 16


def test_latents_with_too_few_positions(shards: Shards) -> None:
    shards.add(values_of(2))
    with pytest.raises(
        LatentmapError, match=r"'patch8' needs 8 positions a side, but .*\(3, 6, 5\)"
    ):
        shards.pool("patch8")


def test_vectors(shards: Shards) -> None:
    values = values_of(5, (8,))
    shards.add(values)
    np.testing.assert_array_equal(read_embedding(shards.pool("flatten"))[1], values)
    with pytest.raises(LatentmapError, match=r"'mean' is for feature maps .*latents-0.arrow"):
        shards.pool("mean")


def test_boxes_become_fractions_of_the_image(shards: Shards) -> None:
    shards.add(values_of(3), [[[20, 10, 60, 50], [100, 0, 200, 100]], [], None])
    _, embedding = read_embedding(shards.pool("region"))
    np.testing.assert_allclose(embedding[0, 9:13], [0.2, 0.3, 0.2, 0.4], rtol=1e-6)
    np.testing.assert_allclose(embedding[0, 13:], [0.75, 0.5, 0.5, 1], rtol=1e-6)
    np.testing.assert_array_equal(embedding[1:, 9:], [[0.5, 0.5, 1, 1] * 2] * 2)


def test_boxes_follow_their_latents_through_blocks(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "BLOCK_BYTES", 2 * 4 * 90)
    shards.add(values_of(5), [[[0, 0, 20 * (i + 1), 100]] for i in range(5)])
    _, embedding = read_embedding(shards.pool("region"))
    np.testing.assert_allclose(embedding[:, 11], [0.1, 0.2, 0.3, 0.4, 0.5], rtol=1e-6)


def test_same_input_gives_the_same_bytes(shards: Shards) -> None:
    shards.add(values_of(9))
    first = shards.pool("mean_pca2", "a.parquet").read_bytes()
    assert first == shards.pool("mean_pca2", "b.parquet").read_bytes()


def test_foreign_ids(shards: Shards) -> None:
    shards.add(values_of(2), ids=["0-0", "other"])
    with pytest.raises(LatentmapError, match=r"latents-0.arrow has id 'other' in row 1"):
        shards.pool("mean")


def test_shapes_that_differ(shards: Shards) -> None:
    shards.add(values_of(2))
    shards.add(values_of(2, (3, 6, 6)))
    with pytest.raises(LatentmapError, match=r"latents-1.arrow has latents of \(3, 6, 6\)"):
        shards.pool("mean")


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_values_that_are_not_finite(shards: Shards, wrong: float) -> None:
    shards.add(values_of(2))
    values = values_of(4)
    values[2, 0, 0, 0] = wrong
    shards.add(values)
    with pytest.raises(LatentmapError, match=r"'1-2' \(row 2 of .*latents-1.arrow\)"):
        shards.pool("max")
    assert not (shards.folder / "embedding.parquet").exists()


def test_nothing_to_pool(shards: Shards) -> None:
    shards.add(values_of(0))
    with pytest.raises(LatentmapError, match="every shard of samples is empty"):
        shards.pool("mean")


def test_every_half_is_converted_exactly() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    np.testing.assert_array_equal(embed._float32(halves), halves.astype(np.float32))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's list of mappings")
@pytest.mark.parametrize("name", ["flatten", "mean"])
def test_shards_are_mapped_one_after_the_other(
    shards: Shards, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(6):
        shards.add(values_of(3, seed=seed))
    mapped = []
    method = METHODS[name]
    pool = method.pool

    def counting(self, latents, regions):
        maps = Path("/proc/self/maps").read_text()
        mapped.append(sum(str(path) in maps for path in shards.latents))
        return pool(self, latents, regions)

    monkeypatch.setattr(method, "pool", counting)
    shards.pool(name)
    assert len(mapped) == 6
    assert max(mapped) <= 2


def test_row_groups_are_those_of_the_whole_table(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the shards lie, the file is what pyarrow cuts one table of all into."""
    parts = [values_of(count, seed=count) for count in (5, 0, 9, 1)]
    for part in parts:
        shards.add(part)
    monkeypatch.setattr(tables, "VALUES_IN_GROUP", 4 * 90)
    path = shards.pool("flatten")
    file = pq.ParquetFile(path)
    rows = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert rows == [4, 4, 4, 3]
    ids = [f"{shard}-{row}" for shard, part in enumerate(parts) for row in range(len(part))]
    whole = shards.folder / "whole.parquet"
    values = np.concatenate(parts).astype(np.float32).reshape(len(ids), -1)
    write_embedding(whole, ids, values, read_tokens(path))
    assert (
        pq.ParquetFile(whole).metadata.to_dict()["row_groups"]
        == (file.metadata.to_dict()["row_groups"])
    )
    assert read_embedding(path)[0] == ids
    np.testing.assert_array_equal(read_embedding(path)[1], values)
