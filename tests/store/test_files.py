"""Atomic writes and digests."""

import json

import pytest

from latentmap.store.files import atomic, digest, digest_bytes, digest_file, write_json


def test_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.txt"]


def test_json_is_sorted_and_has_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"b": float("nan"), "a": [float("inf"), 1.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [None, 1.5], "b": None}
    assert (tmp_path / "a.json").read_text().index('"a"') < 6


def test_digest_tells_where_parts_end():
    assert digest("ab", "c") != digest("a", "bc")


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 131072, 131073, 400_000])
def test_digest_of_a_file_is_that_of_its_bytes(tmp_path, size):
    data = bytes(i % 251 for i in range(size))
    (tmp_path / "f").write_bytes(data)
    assert digest_file(tmp_path / "f") == digest_bytes(data)


@pytest.mark.parametrize("position", [0, 65_535, 65_536, 100_000, 131_071])
def test_every_byte_of_a_small_file_counts(position):
    data = bytearray(131_072)
    before = digest_bytes(bytes(data))
    data[position] = 1
    assert digest_bytes(bytes(data)) != before
