"""Digests are remembered for as long as nothing has happened to their files."""

import os
from types import SimpleNamespace

import pytest

from latentmap.store.digests import SETTLED, DigestMemory, remember_digests
from latentmap.store.files import KNOWN_DIGESTS, digest_file


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Digest a file as a new plan does, an hour after it was written; count what is read."""

    def plan(path, version="1", later=3600 * 10**9):
        read = []
        now = path.stat().st_ctime_ns + later
        monkeypatch.setattr("latentmap.store.digests.time.time_ns", lambda: now)
        memory = DigestMemory(tmp_path / "memory.parquet", version)
        digest = memory.digest(path, lambda p: read.append(p) or digest_file(p))
        memory.save()
        return digest, len(read)

    return plan


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"a" * 100)
    return path


def test_a_file_that_is_as_it_was_is_not_opened(look, file):
    assert look(file) == (digest_file(file), 1)
    assert look(file) == (digest_file(file), 0)


def test_an_edit_is_seen_though_size_and_modification_time_stay(look, file):
    before, _ = look(file)
    times = file.stat()
    file.write_bytes(b"b" * 100)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    after, read = look(file)
    assert (read, after) == (1, digest_file(file)) and after != before


def test_another_file_in_its_place_is_seen(look, file, tmp_path):
    look(file)
    other = tmp_path / "b.png"
    other.write_bytes(b"b" * 100)
    other.replace(file)
    assert look(file) == (digest_file(file), 1)


def test_what_was_written_just_now_is_not_remembered(look, file):
    assert look(file, later=SETTLED) == look(file, later=SETTLED) == (digest_file(file), 1)


def test_inodes_of_64_bits_are_remembered(look, file, monkeypatch):
    stat = os.stat
    as_on_a_network = {"st_ino": 2**64 - 1}

    def numbered(path, **options):
        found = stat(path, **options)
        names = ("st_size", "st_mtime_ns", "st_ctime_ns")
        return SimpleNamespace(**{name: getattr(found, name) for name in names}, **as_on_a_network)

    with monkeypatch.context() as patched:
        patched.setattr("latentmap.store.digests.os", SimpleNamespace(stat=numbered, path=os.path))
        assert look(file)[1] == 1
        assert look(file)[1] == 0


def test_another_way_of_digesting_forgets(look, file):
    look(file, "1")
    assert look(file, "2")[1] == 1


def test_a_damaged_memory_is_none(look, file, tmp_path):
    look(file)
    path = tmp_path / "memory.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    assert look(file) == (digest_file(file), 1)
    assert look(file)[1] == 0


def test_digesting_asks_the_memory(tmp_path, file):
    token = KNOWN_DIGESTS.set(None)
    try:
        os.utime(file, ns=(0, 0))
        memory = remember_digests(tmp_path / "memory.parquet", "1")
        plain = digest_file(file)
        memory.save()
        assert plain == digest_file(file)
    finally:
        KNOWN_DIGESTS.reset(token)
    assert digest_file(file) == plain
    with pytest.raises(FileNotFoundError):
        DigestMemory(tmp_path / "none", "1").digest(tmp_path / "gone", digest_file)
