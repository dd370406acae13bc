"""No damage to a file of a run is read as a result, and each is one line that names the file."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError
from latentmap.export.columns import SampleColumns
from latentmap.inspect.inspection import read_channel_maps, read_inspection
from latentmap.neighbors.graph import read_graph
from latentmap.report.agreements import read_duplicates
from latentmap.report.annotations import read_joined
from latentmap.report.assets import read_samples_asset
from latentmap.report.experiments import read_experiments
from latentmap.report.labels import read_labels
from latentmap.report.learning import read_learning
from latentmap.report.publish import read_chart
from latentmap.report.source_comparisons import read_comparisons
from latentmap.report.standings import read_standings
from latentmap.samples.planned import PlannedShard, read_plan, write_plan
from latentmap.samples.sources.docstrings import Docstring, DocstringsOptions, DocstringsSource
from latentmap.store.files import read_json, write_json
from latentmap.store.latents import read_latents, read_metadata
from latentmap.store.manifest import name_run, read_manifest
from latentmap.store.maps import read_map
from latentmap.store.results import read_run_facts
from latentmap.store.samples import read_samples
from latentmap.store.stamp import read_stamped_text
from latentmap.store.tables import (
    facts_of,
    read_arrow,
    read_arrow_schema,
    read_dims,
    read_embedding,
    read_parquet,
    read_tokens,
    with_facts,
    write_arrow,
    write_parquet,
)

pytestmark = pytest.mark.workflow

FLIPS, CUTS, BLANKS = 40, 8, 8
BLOCK = 512
KEY = ("dct", "plain", "mean")

Reader = Callable[[Path], Any]


def beside(path: Path, name: str) -> Path:
    return path.with_name(name)


def read_facts(path: Path) -> dict[str, Any]:
    return facts_of(read_parquet(path))


# What reads each kind of file of a run, and where one is that has been written elsewhere.
READERS: dict[str, tuple[Reader, ...]] = {
    "samples/*.arrow": (
        lambda path: read_samples([path], ["id", "label", "boxes"]),
        lambda path: list(SampleColumns([path]).parts()),
        read_arrow,
        read_arrow_schema,
    ),
    "run.txt": (read_stamped_text,),
    "run.json": (read_run_facts,),
    "plan.json": (read_plan,),
    "samples/manifest.json": (read_manifest,),
    "samples/quarantine/*.parquet": (read_parquet,),
    "samples/quarantine.parquet": (read_parquet,),
    "samples/annotations.parquet": (read_joined, read_parquet),
    "samples/download/*.parquet": (
        lambda path: DocstringsSource(DocstringsOptions(), path).index(),
    ),
    "thumbnails/*.arrow": (lambda path: read_arrow(path, ["id", "jpeg"]),),
    "latents/*/fit.parquet": (read_parquet,),
    "latents/*/*/*.arrow": (read_latents, read_metadata),
    "embeddings/*.parquet": (
        read_embedding,
        read_dims,
        read_tokens,
        lambda path: read_parquet(path, ["id"]),
    ),
    "neighbors/*.parquet": (read_graph,),
    "metrics/*/agreement.json": (read_duplicates,),
    "metrics/*/learning.json": (read_learning,),
    "metrics/ranking.json": (read_standings,),
    "metrics/*.sources.json": (lambda path: read_comparisons([KEY], [path]),),
    "metrics/*.json": (lambda path: read_experiments([KEY], [path]),),
    "metrics/*.parquet": (read_parquet, lambda path: read_parquet(path, ["id"])),
    "projections/*/agreement.json": (read_json,),
    "projections/*.trust.parquet": (read_parquet, read_facts),
    "projections/*.parquet": (read_map,),
    "inspection/*/channels.json": (
        lambda path: read_inspection(path, beside(path, "positions.parquet")),
    ),
    "inspection/*/positions.parquet": (
        lambda path: read_inspection(beside(path, "channels.json"), path),
    ),
    "inspection/*/maps.parquet": (read_channel_maps,),
    "report/labels.json": (read_labels,),
    "report/*.html": (partial(read_chart, chart="radar_chart"),),
    "report/assets/samples.js": (read_samples_asset, read_stamped_text),
    "report/assets/*": (read_stamped_text,),
}

# What nothing of ours reads: tables for people and other tools.
PUBLISHED = (
    "report/*/metrics.json",
    "report/metrics_table.*",
    "report/costs.*",
)


def kind_of(place: str) -> str | None:
    return next((kind for kind in READERS if fnmatch(place, kind)), None)


@pytest.fixture(scope="module")
def results(finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a small run, and the files that only other runs have."""
    folder = tmp_path_factory.mktemp("damaged") / "results"
    shutil.copytree(finished.results, folder)
    write_rare(folder)
    return folder


def write_rare(results: Path) -> None:
    """Write the files that a small run does not have."""
    docstrings = {name: ["a", "b"] for name in Docstring._fields}
    write_parquet(results / "samples/download/packages.parquet", pa.table(docstrings))
    write_parquet(results / "latents/tfidf/fit.parquet", pa.table({"term": ["a"], "idf": [1.5]}))
    joined = with_facts(pa.table({"id": ["a"], "score": ["1"]}), {"files": [], "samples": 1})
    write_parquet(results / "samples/annotations.parquet", joined)
    compared = {
        "sources": [{"name": "a", "samples": 3, "compared": 3}],
        "pairs": [],
        "maps": {"umap": {"shares": [0.25, 0.75]}},
        "reference": None,
        "options": {"k": 5, "metric": "euclidean"},
    }
    write_json(results / "metrics/dct/plain/mean.sources.json", compared)
    shards = [PlannedShard("0000-0", "a", (0, 2), ("b", "c"), None, {2: "d"})]
    write_plan(results / "plan.json", shards)


def places(results: Path) -> list[str]:
    files = (path.relative_to(results) for path in results.rglob("*") if path.is_file())
    return sorted(str(name) for name in files if name.parts[0] not in ("logs", "benchmarks"))


def test_every_file_of_a_run_has_a_reader_or_is_for_others(results: Path) -> None:
    found = places(results)
    strange = [place for place in found if not any(fnmatch(place, one) for one in PUBLISHED)]
    assert [place for place in strange if kind_of(place) is None] == []
    assert {kind_of(place) for place in strange} == set(READERS)


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def damages(data: bytes, seed: int, flips: int) -> Iterator[tuple[str, bytes]]:
    """Yield what can become of a file's bytes."""
    chance = random.Random(seed)
    size = len(data)
    anywhere = [chance.randrange(size) for _ in range(flips)]
    for at in [*anywhere, *range(8), *range(size - 8, size)]:
        yield f"bit flipped in byte {at}", flipped(data, at, chance.randrange(8))
    for at in [chance.randrange(size) for _ in range(CUTS)] + [1, size - 1]:
        yield f"cut after {at} bytes", data[:at]
    for at in (chance.randrange(size) for _ in range(BLANKS)):
        blank = data[:at] + bytes(min(BLOCK, size - at)) + data[at + BLOCK :]
        if blank != data:
            yield f"zeros from byte {at} on", blank
    yield "empty", b""
    yield "all zeros", bytes(size)
    yield "text", b"nothing of ours\n"
    yield "twice", data + data


def plain(value: Any) -> Any:
    """Return a value as what can be compared, to the last bit."""
    if isinstance(value, pa.Table):
        return repr(value.to_pydict()), str(value.schema)  # a NaN equals no other
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if is_dataclass(value):
        return {name: plain(inner) for name, inner in vars(value).items()}
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return repr(value)


def outcome(reader: Reader, path: Path) -> Any:
    """Return what a reader returns; nothing if it names the file in one line."""
    try:
        return plain(reader(path))
    except LatentmapError as error:
        assert str(path) in str(error) and "\n" not in str(error), error
        return None


def put(path: Path, data: bytes) -> None:
    """Replace a file, so that what is mapped of the one before stays as it was."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def example(results: Path, kind: str) -> str:
    """Return the place of a file of a kind."""
    return next(place for place in places(results) if kind_of(place) == kind)


def others(results: Path, place: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files that may be in the place of one: one of each kind, and all of its own."""
    kind = kind_of(place)
    kinds = [example(results, other) for other in READERS if other != kind]
    own = [other for other in places(results) if kind_of(other) == kind and other != place]
    for other in [*kinds, *own]:
        yield other, (results / other).read_bytes()


def silent(results: Path, kind: str, seed: int, flips: int) -> tuple[int, list[str]]:
    """Damage one file of a kind in all ways; return how many, and which are read as results."""
    place = example(results, kind)
    path = results / place
    whole = path.read_bytes()
    right = [plain(reader(path)) for reader in READERS[kind]]
    count, unseen = 0, []
    try:
        for what, data in [*damages(whole, seed, flips), *others(results, place)]:
            count += 1
            put(path, data)
            found = [outcome(reader, path) for reader in READERS[kind]]
            if any(one not in (None, value) for one, value in zip(found, right, strict=True)):
                unseen.append(what)
    finally:
        put(path, whole)
    return count, unseen


@pytest.mark.parametrize("kind", READERS)
def test_no_damage_is_read_as_a_result(results: Path, kind: str) -> None:
    count, unseen = silent(results, kind, 0, FLIPS)
    assert count > FLIPS + CUTS and unseen == []


def test_a_missing_file_is_named(results: Path) -> None:
    for kind, readers in READERS.items():
        path = results / "gone" / example(results, kind)
        for reader in readers:
            if reader is not read_manifest:  # a run that starts has none
                with pytest.raises(LatentmapError, match=r"no such file"):
                    reader(path)


WRITERS: tuple[Callable[[Path], None], ...] = (
    lambda path: write_arrow(path, pa.table({"id": ["a"]})),
    lambda path: write_parquet(path, pa.table({"id": ["a"]})),
    lambda path: write_json(path, {"id": "a"}),
)


@pytest.mark.parametrize(
    ("write", "read"), list(zip(WRITERS, (read_arrow, read_parquet, read_json), strict=True))
)
def test_a_file_of_another_run_is_named_and_a_renamed_run_is_read(tmp_path, write, read):
    for run in ("first", "second"):
        name_run(tmp_path / run)
        write(tmp_path / run / "metrics/a/plain/mean")
    moved = (tmp_path / "first").rename(tmp_path / "renamed")
    name_run(moved)
    read(moved / "metrics/a/plain/mean")
    write(moved / "metrics/a/plain/max")
    shutil.copy(tmp_path / "second/metrics/a/plain/mean", moved / "metrics/a/plain/mean")
    with pytest.raises(LatentmapError, match=r"mean was written .* of the run 'second': it is in"):
        read(moved / "metrics/a/plain/mean")
    shutil.copy(tmp_path / "second/metrics/a/plain/mean", tmp_path / "elsewhere")
    read(tmp_path / "elsewhere")


def test_a_damaged_file_is_named_by_the_job_that_reads_it_and_can_be_made_anew(project, finished):
    damaged = next((project.results / "latents/dct/plain").glob("*.arrow"))
    time = damaged.stat().st_mtime_ns
    data = damaged.read_bytes()
    put(damaged, flipped(data, len(data) // 2, 3))
    os.utime(damaged, ns=(time, time))  # as a disk damages files
    embedding = project.results / "embeddings/dct/plain/mean.parquet"
    embedding.unlink()
    wanted = (str(embedding.relative_to(project.folder)), "--configfile", "config/small.yaml")
    said = project.run_snakemake(*wanted, check=False)
    assert f"Error: {damaged.relative_to(project.folder)} is damaged: bytes 0 to" in said
    assert "Delete it and run again." in said and "Traceback" not in said
    damaged.unlink()
    project.run_snakemake(*wanted)
    assert project.contents() == finished.contents()
