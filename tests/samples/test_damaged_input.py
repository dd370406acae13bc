"""Files that users bring: what carries checksums is checked, and damage or excess is one line."""

from __future__ import annotations

import json
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError
from latentmap.samples.caches import EmbeddingCache
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES, Source
from latentmap.samples.vectors import read_vectors
from latentmap.store.tables import read_arrow, write_arrow

COUNT = 20
IDS = [f"r{row}" for row in range(COUNT)]
LATENTS = np.random.default_rng(0).normal(size=(COUNT, 2, 4, 4)).astype(np.float32)
METADATA = json.dumps([{"id": row, "qa_category": row[-1]} for row in IDS])
TABLE = pa.table({"id": IDS, "label": [row[-1] for row in IDS], "text": [row * 9 for row in IDS]})


def write_npz(path: Path) -> None:
    np.savez(path, latents=LATENTS, metadata=np.array(METADATA))


def write_packed_npz(path: Path) -> None:
    np.savez_compressed(path, latents=LATENTS, metadata=np.array(METADATA))


def read_npz(path: Path) -> Any:
    source = SOURCES.create("npz", {"input": str(path)})
    rows = read_rows(source)
    encoder = ENCODERS.create("cached", {"input": str(path)})
    encoder.load()
    return rows, encoder.encode([np.array(row) for row in range(len(rows))]).tolist()


def write_pt(path: Path) -> None:
    import torch

    torch.save(torch.from_numpy(LATENTS.reshape(COUNT, -1)), path.parent / "embeddings.pt")
    torch.save(torch.arange(COUNT), path.parent / "labels.pt")
    names = "".join(f"{row},1\n" for row in IDS)
    (path.parent / "metadata.csv").write_text("file_name,ground_truth_num_label\n" + names)


def read_pt(path: Path) -> Any:
    return EmbeddingCache(path.parent).embeddings.tolist()


def write_checked_parquet(path: Path) -> None:
    pq.write_table(TABLE, path, write_page_checksum=True)


def write_parquet(path: Path) -> None:
    pq.write_table(TABLE, path)


def write_feather(path: Path) -> None:
    with pa.ipc.new_file(str(path), TABLE.schema) as writer:
        writer.write_table(TABLE)


def read_table(path: Path) -> Any:
    source = SOURCES.create("table", {"input": str(path)})
    return read_rows(source)


def read_rows(source: Source[Any]) -> list[dict[str, Any]]:
    """Return the rows of a source without what is only a digest of its file."""
    table = source.read(range(len(source.index())))
    return table.drop_columns([*{"digest"} & {*table.column_names}]).to_pylist()


def write_vectors(path: Path) -> None:
    np.savez(path, embeddings=LATENTS.reshape(COUNT, -1), labels=np.array(IDS))


def read_archive(path: Path) -> Any:
    found = read_vectors(path)
    return found.embeddings.tolist(), {n: c.to_pylist() for n, c in found.columns.items()}


CHECKED: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any]]] = {
    "cache.npz": (write_npz, read_npz),
    "packed.npz": (write_packed_npz, read_npz),
    "embeddings.pt": (write_pt, read_pt),
    "vectors.npz": (write_vectors, read_archive),
    "checked.parquet": (write_checked_parquet, read_table),
}
UNCHECKED = {
    "plain.parquet": (write_parquet, read_table),
    "plain.arrow": (write_feather, read_table),
}


@pytest.mark.parametrize("name", [*CHECKED, *UNCHECKED])
def test_damage_is_one_line_and_what_has_checksums_is_never_read_wrong(tmp_path, name):
    write, read = {**CHECKED, **UNCHECKED}[name]
    path = tmp_path / name
    write(path)
    whole, right = path.read_bytes(), read(path)
    chance = random.Random(0)
    wrong = []
    for number in range(120):
        at = chance.randrange(len(whole))
        byte = whole[at] ^ 1 << chance.randrange(8)
        path.unlink()  # what is mapped of it stays
        path.write_bytes(whole[:at] + (bytes([byte]) + whole[at + 1 :] if number % 4 else b""))
        try:
            found = read(path)
        except LatentmapError as error:
            assert str(path) in str(error) and "\n" not in str(error), error
        else:
            wrong += [] if found == right else [at]
    assert wrong == [] or name in UNCHECKED


def test_an_array_that_says_it_ends_sooner_is_damaged(tmp_path):
    path = tmp_path / "vectors.npz"
    np.savez(path, embeddings=np.ones((5000, 32), np.float32))
    whole = path.read_bytes()
    assert whole.count(b"(5000, 32)") == 1
    path.write_bytes(whole.replace(b"(5000, 32)", b"(1000, 32)"))
    with pytest.raises(LatentmapError, match=r"vectors\.npz cannot be read .*embeddings"):
        read_vectors(path)


@pytest.mark.parametrize(("write", "read"), [(write_vectors, read_archive), (write_npz, read_npz)])
def test_a_member_that_a_damaged_directory_hides_is_missed(tmp_path, write, read):
    path = tmp_path / "a.npz"
    write(path)
    whole = bytearray(path.read_bytes())
    first = whole.index(b"PK\1\2")
    second, end = whole.index(b"PK\1\2", first + 4), whole.rindex(b"PK\5\6")
    whole[first + 32 : first + 34] = (end - second).to_bytes(2, "little")  # length of a comment
    path.write_bytes(whole)
    with pytest.raises(LatentmapError, match=r"a\.npz .*\(1 of 2 parts are in its directory\)"):
        read(path)


def saved(shape: str, dtype: str, data: bytes, version: int = 1, padding: int = 0) -> bytes:
    """Return an array as NumPy saves it, with a header that says anything."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * padding + b"\n"
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def text(content: str) -> bytes:
    return saved("()", f"<U{len(content)}", content.encode("utf-32-le"))


ONE = saved("(1, 1, 2, 2)", "<f4", bytes(16))
ROW = '[{"id": "a", "qa_category": "x", "deep": %s}]'
LONG = b"\x93NUMPY\x02\x00" + (2**32 - 1).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"latents": saved(f"({10**15}, 1, 2, 2)", "<f4", bytes(32))}, "announced, 32 are there"),
        ({"latents": saved(f"(1, 1, {10**9}, 9)", "<f4", bytes(32))}, "announced, 32 are there"),
        ({"latents": saved("(-1, 1, 2, 2)", "<f4", bytes(16))}, "announced, 16 are there"),
        ({"latents": saved("(1, 1, 2, 2)", "<f4", bytes(16), padding=20_000)}, "with a header of"),
        ({"latents": LONG + bytes(1000)}, "with a header of 4,294,967,295 bytes"),
        ({"metadata": LONG + bytes(1000)}, "with a header of 4,294,967,295 bytes"),
        ({"metadata": saved("()", f"<U{2**28}", b"")}, "announced, 0 are there"),
        ({"metadata": saved(f"({10**12},)", "<U10", b"")}, "announced, 0 are there"),
        ({"metadata": saved("()", "|O", b"x")}, "not one text but object"),
        ({"metadata": text("[" * 100_000)}, "nested too deeply"),
        ({"metadata": text("[" + " " * 2**18 + "]")}, "would grow to"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_archive_announces_takes_no_memory(tmp_path, monkeypatch, arrays, words):
    monkeypatch.setattr("latentmap.store.arrays.HARMLESS", 2**19)
    path = tmp_path / "c.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in {"latents": ONE, "metadata": text(ROW % 1), **arrays}.items():
            archive.writestr(f"{name}.npy", content)
    tracemalloc.start()
    try:
        with pytest.raises(LatentmapError) as caught:
            SOURCES.create("npz", {"input": str(path)}).index()
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value) and words in str(caught.value)


@pytest.mark.parametrize("depth", [8, 80, 700])
def test_nested_metadata_is_kept_and_too_deep_for_arrow_is_text(tmp_path, depth):
    path = tmp_path / "c.npz"
    nested = "[" * depth + "1" + "]" * depth
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("latents.npy", ONE)
        archive.writestr("metadata.npy", text(ROW % nested))
    made = ingest(SOURCES.create("npz", {"input": str(path)}), [0], {}, {})
    write_arrow(tmp_path / "s.arrow", made.samples)
    (kept,) = read_arrow(tmp_path / "s.arrow", ["deep"])["deep"].to_pylist()
    assert (kept if isinstance(kept, str) else json.dumps(kept)) == nested
    assert isinstance(kept, str) is (depth > 8)
