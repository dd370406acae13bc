"""One book knows every path of a run, and what computes does not know the book."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError
from latentmap.fingerprint import imports_of
from latentmap.metrics.metric import METRICS as METRIC_PLUGINS
from latentmap.pool.method import METHODS
from latentmap.project.projection import PROJECTIONS
from latentmap.run import load_run
from latentmap.samples.source import SOURCES
from latentmap.store import results as book
from latentmap.store.manifest import Shard, write_manifest
from latentmap.store.results import SAMPLES, Artifact, Results, write_run_facts

ROOT = Path(__file__).parents[2]
CONFIG = {
    "run": "mine",
    "samples": {"sources": [{"kind": "scenes", "images": 6}]},
    "variants": ["plain", "boxes"],
    "encoders": [{"kind": "dct", "size": 64}, {"kind": "metadata"}],
    "methods": ["mean", "minmax"],
    "maps": ["mean"],
    "projections": {"tsne": None, "space": {"kind": "pca", "dims": 3}},
}
ARTIFACTS = {name: a for name, a in vars(book).items() if isinstance(a, Artifact)}
PLACE = re.compile(
    r"(samples|thumbnails|latents|embeddings|neighbors|metrics|projections|inspection|report"
    r"|export|logs|benchmarks)/.*(\{|\.\w)"
)
# What makes results, from samples to maps; the rest shows, joins or exports them.
COMPUTING = (
    *("download_source", "ingest_samples", "draw_thumbnails", "fit_encoder", "encode_samples"),
    *("pool_latents", "find_neighbors", "measure_embedding", "project_embedding", "assess_maps"),
    *("compare_embeddings", "compare_maps", "compare_sources", "rank_methods", "inspect_latents"),
)


@pytest.fixture
def run(tmp_path):
    return Results(tmp_path / "mine", load_run(CONFIG).facts, lambda: ["0000-a", "0001-b"])


def test_keys_are_in_the_order_of_the_run(run):
    variants = ("plain", "boxes")
    assert run.latents == [(e, v) for e in ("dct", "metadata") for v in variants]
    assert run.methods == [
        *(("dct", v, m) for v in variants for m in ("mean", "minmax")),
        *(("metadata", v, "flatten") for v in variants),
    ]
    names = ("pca", "umap", "space")
    mapped = [("dct", "plain", "mean"), ("dct", "boxes", "mean")]
    mapped += [("metadata", v, "flatten") for v in variants]
    assert run.maps == [(*key, name) for key in mapped for name in names]
    assert run.mapped == mapped
    assert run.solid_maps == [(*key, "space") for key in mapped]
    assert run.inspected == [("dct", v) for v in variants]
    assert run.compared == [] and run.annotated == [] and run.baselines == ["dct", "metadata"]


def test_what_belongs_to_a_job_is_found_by_the_names_of_its_wildcards(run):
    of_dct = {"encoder": "dct", "variant": "boxes"}
    assert run.keys(book.METRICS, **of_dct) == [("dct", "boxes", m) for m in ("mean", "minmax")]
    assert run.keys(book.AGREEMENT, **of_dct, method="mean") == [("dct", "boxes")]
    assert run.keys(book.SAMPLES, **of_dct) == [("0000-a",), ("0001-b",)]
    assert run.keys(book.LATENTS, **of_dct)[1] == ("dct", "boxes", "0001-b")
    assert run.keys(book.SAMPLING_WEIGHTS.over("mapped"), **of_dct) == [("dct", "boxes", "mean")]
    held = run.keys(book.METRICS.beside_baselines, **of_dct)
    assert held == [*run.keys(book.METRICS, **of_dct), ("metadata", "boxes", "flatten")]
    path = run.folder / "projections/dct/plain/mean/pca.parquet"
    assert run.path(book.PROJECTION, *run.maps[0]) == path
    assert run.job(book.LOG, "project", book.AGREEMENT.wildcards).endswith(
        "mine/logs/project/{encoder}/{variant}.log"
    )


def test_no_two_kinds_of_files_can_lie_in_one_place(run):
    patterns = [artifact.pattern for artifact in ARTIFACTS.values()]
    assert len(set(patterns)) == len(patterns)


def test_a_folder_carries_what_is_needed_to_open_it(run):
    write_run_facts(run.path(book.RUN), run.facts)
    write_manifest(run.path(book.MANIFEST), [Shard("0000-a", 3, 0, ""), Shard("0001-b", 0, 2, "")])
    found = Results.open(run.folder)
    assert found.name == "mine" and found.facts == run.facts
    assert found.maps == run.maps
    assert found.shards == ["0000-a", "0001-b"]
    moved = run.folder.rename(run.folder.with_name("moved"))
    assert Results.open(moved).facts == run.facts
    with pytest.raises(LatentmapError, match=r"mine is no folder. There are: .*moved"):
        Results.open(run.folder)


def test_a_reader_gets_only_what_it_says_that_it_reads(run):
    limited = run.limited_to([book.METRICS], [])
    assert limited.path(book.METRICS, *run.methods[0])
    with pytest.raises(LatentmapError, match=r"neighbors/.* is not among what this page says"):
        limited.paths(book.NEIGHBORS)


def test_the_reference_is_another_folder_with_shards_of_its_own(tmp_path):
    old = tmp_path / "old"
    placed = load_run({**CONFIG, "reference_run": "old"})
    run = Results(tmp_path / "mine", placed.facts, lambda: ["0000-a"])
    shards = [Shard("0007-z", 3, 0, ""), Shard("0008-y", 0, 2, "")]  # one without samples
    write_manifest(old / "samples" / "manifest.json", shards)
    assert run.paths(book.SAMPLES.theirs) == [old / "samples/0007-z.arrow"]
    assert run.path(book.PROJECTION.theirs, *run.maps[0]).is_relative_to(old)
    assert Results(tmp_path / "mine", load_run(CONFIG).facts).keys(book.PROJECTION.theirs) == []
    assert len(run.compared) == len(run.methods)


def test_a_run_of_an_earlier_version_lacks_options_in_one_line(run):
    report = {name: value for name, value in run.config["report"].items() if name != "color_by"}
    earlier = replace(run.facts, config={**run.config, "report": report})
    assert Results(run.folder, earlier).option("report.max_points") == 5000
    with pytest.raises(LatentmapError, match=r"run\.json does not say 'report\.color_by': an earl"):
        Results(run.folder, earlier).option("report.color_by")


def test_a_run_without_samples_says_that_it_is_not_finished(run):
    write_run_facts(run.folder / "run.json", run.facts)
    with pytest.raises(LatentmapError, match=r"has no samples yet: the run is not finished"):
        Results.open(run.folder).paths(SAMPLES)


def test_no_path_of_a_run_is_built_elsewhere():
    found = []
    for file in (ROOT / "src").rglob("*.py"):
        # The files inside an explorer's folder have their names in its own format.
        if file == Path(book.__file__) or file.parent.name == "explorer":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                text = "".join(
                    p.value if isinstance(p, ast.Constant) else "{}" for p in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            if PLACE.match(text) and "\n" not in text:
                found.append(f"{file.name}: {text}")
    assert found == []


def test_what_computes_does_not_know_the_book():
    plugins = (SOURCES, ENCODERS, METHODS, METRIC_PLUGINS, PROJECTIONS)
    modules = [registry.module(name) for registry in plugins for name in registry]
    scripts = tuple(ROOT / f"workflow/scripts/{script}.py" for script in COMPUTING)
    known = imports_of(*modules, scripts=scripts)
    assert "latentmap.metrics.measure" in known and "latentmap.neighbors.graph" in known
    assert "latentmap.store.results" not in known
    assert not {name for name in known if name.startswith("latentmap.report")}
