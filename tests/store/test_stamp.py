"""Stamped files are ordinary files to others, and to us no file without its own bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.errors import LatentmapError
from latentmap.store import checked, stamp
from latentmap.store.files import read_json, write_json, write_plain_json
from latentmap.store.tables import (
    embedding_parts,
    read_arrow,
    read_parquet,
    write_arrow,
    write_embedding,
    write_parquet,
)

ROWS = 4000
TABLE = pa.table(
    {
        "id": [f"s{row}" for row in range(ROWS)],
        "value": np.random.default_rng(0).normal(size=ROWS),
        "image": [np.random.default_rng(row).bytes(500) for row in range(ROWS)],
    }
)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 16
    path.unlink()
    path.write_bytes(data)


def test_other_tools_read_a_stamped_file_as_any(tmp_path):
    write_arrow(tmp_path / "t.arrow", TABLE)
    write_parquet(tmp_path / "t.parquet", TABLE)
    for found in (
        pl.read_ipc(tmp_path / "t.arrow"),
        pl.scan_ipc(tmp_path / "t.arrow").collect(),
        pl.read_parquet(tmp_path / "t.parquet"),
        pl.scan_parquet(tmp_path / "t.parquet").collect(),
    ):
        assert found.equals(pl.from_arrow(TABLE))
    assert pa.ipc.open_file(str(tmp_path / "t.arrow")).read_all().equals(TABLE)
    with (tmp_path / "t.arrow").open("rb") as file:
        file.seek(8)
        assert pa.ipc.open_stream(file).read_all().equals(TABLE)


def test_other_tools_can_check_the_pages_of_our_parquet_files(tmp_path):
    path = tmp_path / "t.parquet"
    write_parquet(path, TABLE)
    assert pq.read_table(path, page_checksum_verification=True).equals(TABLE)
    flip(path, path.stat().st_size // 2)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(path, page_checksum_verification=True)


@pytest.mark.parametrize(
    ("write", "read"), [(write_arrow, read_arrow), (write_parquet, read_parquet)]
)
def test_who_reads_one_column_checks_no_other(tmp_path, write, read):
    path = tmp_path / "t"
    write(path, TABLE)
    flip(path, path.stat().st_size // 2)
    assert read(path, ["id"]).equals(TABLE.select(["id"]))
    for columns in (["id", "image"], None):
        with pytest.raises(
            LatentmapError, match=r"t is damaged: bytes \d+ to \d+ are not what was"
        ):
            read(path, columns)


def test_columns_are_told_apart_in_all_their_chunks_dictionaries_and_dotted_names(tmp_path):
    words = pa.array(["a", "b", "a"] * 2).dictionary_encode()
    columns = {"a.b": [1, 2, 3] * 2, "a": words, "ab": [[{"a": 1}], None, []] * 2}
    table = pa.table(columns)
    table = pa.concat_tables([table.slice(0, 2), table.slice(2)])
    write_arrow(tmp_path / "t.arrow", table)
    write_parquet(tmp_path / "t.parquet", table)
    for name in columns:
        expected = table.select([name]).to_pydict()
        assert read_arrow(tmp_path / "t.arrow", [name]).to_pydict() == expected
        assert read_parquet(tmp_path / "t.parquet", [name]).to_pydict() == expected
    for read, path in ((read_arrow, "t.arrow"), (read_parquet, "t.parquet")):
        with pytest.raises(LatentmapError, match=r"has no column 'b', so it is another kind"):
            read(tmp_path / path, ["a", "b"])


def test_an_embedding_is_checked_part_by_part(tmp_path):
    path = tmp_path / "e.parquet"
    values = np.random.default_rng(0).normal(size=(6, 2**20)).astype(np.float32)
    write_embedding(path, list("abcdef"), values, 1)
    assert len(list(embedding_parts(path))) == 1
    flip(path, path.stat().st_size - 2**20)
    with pytest.raises(LatentmapError, match=r"e\.parquet is damaged"):
        next(embedding_parts(path))


def test_a_file_of_another_version_is_named(tmp_path, monkeypatch):
    with monkeypatch.context() as later:
        for module in (stamp, checked):
            later.setattr(module, "VERSION", 99)
        write_arrow(tmp_path / "t.arrow", TABLE)
        write_json(tmp_path / "t.json", {"a": 1})
    for read, name in ((read_arrow, "t.arrow"), (read_json, "t.json")):
        with pytest.raises(
            LatentmapError, match=rf"{name} is of version 99, and this .* reads \d+\."
        ):
            read(tmp_path / name)


def test_a_file_without_a_stamp_is_no_file_of_ours(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet")
    with pa.ipc.new_file(str(tmp_path / "t.arrow"), TABLE.schema) as writer:
        writer.write_table(TABLE)
    write_plain_json(tmp_path / "t.json", {"a": 1})
    for read, name in ((read_parquet, "t.parquet"), (read_arrow, "t.arrow"), (read_json, "t.json")):
        with pytest.raises(LatentmapError, match=rf"{name} has no checksums: it is damaged, or of"):
            read(tmp_path / name)
