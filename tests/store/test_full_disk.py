"""A disk that is full is one line, a killed writer leaves nothing for long, and logs give way."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.export.arrays import FORMATS, Rows
from latentmap.store.files import atomic, write_json, write_text
from latentmap.store.latents import write_latents
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding, write_parquet

ROOM = 64 * 1024
IDS = [f"s{row}" for row in range(1000)]
VALUES = np.random.default_rng(0).normal(size=(1000, 50)).astype(np.float32)

WRITERS: dict[str, Callable[[Path], None]] = {
    "text": lambda path: write_text(path, "x" * 2 * ROOM),
    "json": lambda path: write_json(path, {"a": "x" * 2 * ROOM}),
    "arrow": lambda path: write_arrow(path, pa.table({"v": VALUES.ravel()})),
    "parquet": lambda path: write_parquet(path, pa.table({"v": VALUES.ravel()})),
    "latents": lambda path: write_latents(path, IDS, VALUES, {}),
    "embedding": lambda path: write_embedding(path, IDS, VALUES, 1),
}
for name, write in FORMATS.items():
    WRITERS[f"exported {name}"] = lambda path, write=write: write(path, rows(path))


def rows(path: Path) -> Rows:
    samples = path.with_name("samples.arrow")
    return Rows("embeddings", VALUES.dtype, VALUES.shape, lambda: [VALUES], [samples])


@contextmanager
def short_files() -> Iterator[None]:
    """Let the kernel refuse all that a file has beyond `ROOM`, as a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def samples(path: Path) -> None:
    columns = {"id": IDS, **{name: ["a"] * len(IDS) for name in ("source", "label", "digest")}}
    fields = {f.name: pa.array(columns.get(f.name, [None] * len(IDS)), f.type) for f in SCHEMA}
    write_arrow(path, pa.table(fields))


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("disk", ["quota", "full"])
def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path, kind, disk, disk_of):
    samples(tmp_path / "samples.arrow")
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "file"
    with short_files() if disk == "quota" else disk_of(folder, ROOM):
        path.write_text("old")
        (folder / "samples.arrow").symlink_to(tmp_path / "samples.arrow")
        with pytest.raises(LatentmapError) as caught:
            WRITERS[kind](path)
        message = str(caught.value)
        assert message.startswith(f"{path} cannot be written: ") and "\n" not in message
        assert f"Make room in {folder} and run again." in message
        assert path.read_text() == "old"
        assert sorted(p.name for p in folder.iterdir()) == ["file", "samples.arrow"]


KILLED = """
import sys, time
from latentmap.store.files import atomic
with atomic(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_leaves_is_removed_by_the_next_and_a_living_one_s_is_not(tmp_path):
    path = tmp_path / "a[b].json"
    with subprocess.Popen([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"writing\n"
        write_text(path, "new")
        assert len(list(tmp_path.glob(".*.tmp"))) == 1
        writer.send_signal(signal.SIGKILL)
    assert len(list(tmp_path.glob(".*.tmp"))) == 1
    (tmp_path / ".other.json.1.tmp").touch()
    with atomic(path) as temporary:
        temporary.write_text("newer")
        left = {p.name for p in tmp_path.iterdir()}
        assert left == {"a[b].json", ".other.json.1.tmp", temporary.name}
    assert path.read_text() == "newer"


JOB = """
import logging, sys
from latentmap.errors import LatentmapError
from latentmap.log import job_log
with job_log(sys.argv[1]):
    for line in range(3):
        logging.info("line %d", line)
    raise LatentmapError("the job's own line")
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("/dev/full", "/dev/full takes no more lines: No space left on device."),
        ("/dev/null/job.log", "/dev/null/job.log cannot be written: File exists."),
    ],
)
def test_a_log_that_takes_nothing_is_told_once_and_no_reason_to_fail(log, told):
    done = subprocess.run(
        [sys.executable, "-c", JOB, log], stderr=subprocess.PIPE, text=True, check=False
    )
    lines = [line for line in done.stderr.splitlines() if " INFO line " not in line]
    assert lines[0] == told and lines[-1] == "Error: the job's own line"
    assert "Traceback" not in done.stderr and lines.count(told) == 1
