"""Atomic writes and digests."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from latentmap.store.files import (
    WHOLE_BYTES,
    atomic,
    digest,
    digest_bytes,
    digest_file,
    json_text,
    read_json,
    write_json,
    write_plain_json,
)


@pytest.mark.parametrize("value", [{}, {"a": {}}, {"a": {"b": [1, 2]}, "z": "}\n}"}])
def test_json_comes_back(tmp_path, value):
    write_json(tmp_path / "value.json", value)
    assert read_json(tmp_path / "value.json") == value


def test_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.txt"]


def test_json_is_sorted_and_has_no_nan(tmp_path):
    write_plain_json(tmp_path / "a.json", {"b": float("nan"), "a": [float("inf"), 1.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [None, 1.5], "b": None}
    assert (tmp_path / "a.json").read_text().index('"a"') < 6


def test_json_says_null_of_what_is_not_finite():
    value = {"a": [float("nan"), float("inf"), 1.5], "b": ({"c": -float("inf")},)}
    assert json_text(value) == '{"a": [null, null, 1.5], "b": [{"c": null}]}'
    assert json_text({"a": 1.5}, separators=(",", ":")) == '{"a":1.5}'


def test_digest_tells_where_parts_end():
    assert digest("ab", "c") != digest("a", "bc")


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1, 3_000_000])
def test_digest_of_a_file_is_that_of_its_bytes(tmp_path, size):
    data = bytes(i % 251 for i in range(size))
    (tmp_path / "f").write_bytes(data)
    assert digest_file(tmp_path / "f") == digest_bytes(data)


def encoded(form, side):
    """A picture of random pixels."""
    data = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(data, form)
    return data.getvalue()


@pytest.mark.parametrize("form", ["BMP", "TIFF", "PPM", "TGA"])
def test_a_change_in_the_middle_of_what_is_not_coded_counts(tmp_path, form):
    data = bytearray(encoded(form, 700))
    before = digest_bytes(bytes(data))
    data[len(data) // 2] ^= 1
    assert digest_bytes(bytes(data)) != before
    (tmp_path / "f").write_bytes(data)
    assert digest_file(tmp_path / "f") == digest_bytes(bytes(data))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
def test_of_what_is_coded_the_ends_are_read(tmp_path, form, monkeypatch):
    data = encoded(form, 32) + bytes(WHOLE_BYTES)
    (tmp_path / "f").write_bytes(data)
    monkeypatch.setattr("hashlib.file_digest", None)
    assert digest_file(tmp_path / "f") == digest_bytes(data)


def test_an_archive_counts_by_its_checksums_and_is_read_whole_without(tmp_path, monkeypatch):
    def write(value, offset=0):
        values = np.zeros(200_000)
        values[50_000] = value
        np.savez(tmp_path / "a.npz", values=values)
        data = bytearray((tmp_path / "a.npz").read_bytes())
        if offset:
            with zipfile.ZipFile(tmp_path / "a.npz") as archive:
                place = data.index(b"PK\x01\x02", archive.start_dir) + 16
            data[place : place + 4] = bytes(4)  # as torch.save writes it without checksums
            data[14:18] = bytes(4)
            (tmp_path / "a.npz").write_bytes(data)
        return digest_file(tmp_path / "a.npz")

    assert len({write(1), write(2), write(1, offset=16), write(2, offset=16)}) == 4
    (tmp_path / "cut.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-1000])
    assert digest_file(tmp_path / "cut.npz")
    np.savez(tmp_path / "a.npz", values=np.zeros(200_000))
    monkeypatch.setattr("hashlib.file_digest", None)
    assert digest_file(tmp_path / "a.npz")


@pytest.mark.parametrize("position", [0, 65_536, 500_000, WHOLE_BYTES - 1])
def test_every_byte_of_a_small_file_counts(position):
    data = bytearray((encoded("JPEG", 32) + bytes(WHOLE_BYTES))[:WHOLE_BYTES])
    before = digest_bytes(bytes(data))
    data[position] ^= 1
    assert digest_bytes(bytes(data)) != before
