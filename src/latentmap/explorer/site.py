"""The files of an explorer: tables, whole or in chunks, with compressed copies beside them."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.store.files import json_text, write_text

MANIFEST = "manifest.json"
FOLDERS = ("maps", "columns", "ids", "samples", "thumbnails", "pictures", "neighbors")
"""What an explorer has beside its manifest and its page; nothing else is ever removed."""

CHUNK = 2**19
"""Bytes of a chunk: read in a moment, and few enough files for many samples."""

KEY = b"key"
"""In the metadata of a table: the samples whose rows it has."""

NUMBER = "{}"
"""Stands in the path of chunks for their number."""

COPIES = (".gz", ".br")
"""Suffixes of compressed copies."""

SAVED = 0.1
"""A compressed copy saves at least this share of a file."""

LEVEL = 5
"""Of both compressions: the next one takes twice as long to save a twentieth more."""


class Site:
    """The folder of an explorer while it is written.

    The manifest is written last, so that a job that is killed leaves none, and a reader checks
    length and checksum of every other file: these need no sync each. Compressed copies follow
    their file: one that is older than it is not sent.

    Args:
        folder: of the explorer.
        key: identifies the samples and their order.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = key
        self._written: set[Path] = set()
        self._bytes = 0

    def write(self, file: str, table: pa.Table) -> dict[str, Any]:
        """Write a table as one record batch; return its entry in the manifest.

        Args:
            file: path below the folder.
            table: its rows.
        """
        table = table.combine_chunks().replace_schema_metadata({KEY: self._key})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        content = sink.getvalue()
        path = self._folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._written |= {path, *put_copies(path, content)}
        self._bytes += content.size
        return {"file": file, "bytes": content.size, "crc32": crc32(content)}

    def write_chunks(self, file: str, tables: Iterable[pa.Table]) -> dict[str, Any]:
        """Write the rows of tables, each a chunk; return their entry in the manifest.

        Args:
            file: path below the folder, with `NUMBER` in it.
            tables: the chunks.
        """
        starts, entries = [0], []
        for number, table in enumerate(tables):
            entries.append(self.write(file.replace(NUMBER, str(number)), table))
            starts.append(starts[-1] + len(table))
        return {
            "file": file,
            "starts": starts,
            "bytes": [entry["bytes"] for entry in entries],
            "crc32": [entry["crc32"] for entry in entries],
        }

    def copy(self, file: str, content: bytes) -> None:
        """Write bytes as they are, once."""
        path = self._folder / file
        if path not in self._written:
            self._bytes += len(content)
            if not path.exists() or path.stat().st_size != len(content):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self._written.add(path)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest, and remove the files of an earlier explorer that this has not."""
        text = json_text({**manifest, "bytes": self._bytes}, separators=(",", ":"))
        self._remove_others()
        write_text(self._folder / MANIFEST, text)
        put_copies(self._folder / MANIFEST, text.encode())

    def _remove_others(self) -> None:
        for name in FOLDERS:
            folder = self._folder / name
            for path in [*sorted(folder.rglob("*"), reverse=True), folder]:
                if path.is_dir():
                    with suppress(OSError):  # what is left has files
                        path.rmdir()
                elif path not in self._written:
                    path.unlink(missing_ok=True)


def put_copies(path: Path, content: bytes | pa.Buffer) -> list[Path]:
    """Write the compressed copies of a file that are worth their place; return them."""
    size = len(memoryview(content))
    with ThreadPoolExecutor() as pool:
        made = pool.map(lambda compress: compress(content), (_gzip, _brotli))
    kept = []
    for suffix, smaller in zip(COPIES, made, strict=True):
        copy = path.with_name(path.name + suffix)
        if len(smaller) <= (1 - SAVED) * size:
            copy.write_bytes(smaller)
            kept.append(copy)
        else:
            copy.unlink(missing_ok=True)
    return kept


def _gzip(content: bytes | pa.Buffer) -> bytes:
    return gzip.compress(content, LEVEL, mtime=0)


def _brotli(content: bytes | pa.Buffer) -> bytes:
    made: bytes = pa.Codec("brotli", LEVEL).compress(content, asbytes=True)
    return made


def in_chunks(
    tables: Iterable[tuple[pa.Table, NDArray[np.int64]]], most: int = CHUNK
) -> Iterator[pa.Table]:
    """Yield the rows of tables again, in tables of about as many bytes each.

    Args:
        tables: each with the bytes of each of its rows, (n,).
        most: bytes of a chunk; only one that is a single row has more.
    """
    pending: list[pa.Table] = []
    size = 0
    for table, bytes_of in tables:
        start, ends = 0, np.cumsum(bytes_of)
        while start < len(table):
            before = int(ends[start - 1]) if start else 0
            end = int(np.searchsorted(ends, before + most - size, side="right"))
            if end == start and not pending:
                end = start + 1
            if end > start:
                pending.append(table.slice(start, end - start))
                size += int(ends[end - 1]) - before
                start = end
            if start < len(table):
                yield pa.concat_tables(pending)
                pending, size = [], 0
    if pending:
        yield pa.concat_tables(pending)
