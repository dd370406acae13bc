"""What is wrong with a run is said before any job: all of it, one line each."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from latentmap import checks
from latentmap.checks import missing_devices, wrong_with_reference
from latentmap.encode import devices
from latentmap.errors import LatentmapError
from latentmap.planning import Plan, check_all
from latentmap.run import load_run
from latentmap.samples.planned import PlannedShard
from latentmap.store.manifest import Shard, write_manifest

ROOT = Path(__file__).parents[1]
TINY = ROOT / "resources" / "tiny-vae"


def run(source=None, encoders=({"kind": "dct", "size": 64},), **changes):
    sources = [source or {"kind": "scenes", "images": 4}]
    config = {"run": "a", "samples": {"sources": sources}, "encoders": list(encoders), **changes}
    return load_run(config)


def complaint(run) -> str:
    with pytest.raises(LatentmapError) as caught:
        check_all(run)
    return str(caught.value)


@pytest.fixture
def pictures(tmp_path):
    """Make pictures at these paths; return a source of them."""

    def make(*names, **options):
        for number, name in enumerate(names):
            path = tmp_path / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (number, 0, 0)).save(path)
        return {"kind": "folder", "input": str(tmp_path / "images"), **options}

    return make


@pytest.fixture
def table(tmp_path):
    """Write rows of label and text; return a source of them."""

    def make(*labels, **options):
        path = tmp_path / "t.csv"
        rows = [{"label": label, "text": f"text {n}"} for n, label in enumerate(labels)]
        pl.DataFrame(rows, {"label": pl.String, "text": pl.String}).write_csv(path)
        return {"kind": "table", "input": str(path), **options}

    return make


TEXTS = ({"kind": "tfidf", "dims": 2},)


def told(configured) -> list[str]:
    """What the terminal says of a run that is planned."""
    return check_all(configured).lines("quarantine.parquet")


def test_a_plan_has_the_sources_the_rows_and_the_shards(tmp_path):
    plan = Plan(run(), tmp_path, Path)
    assert list(plan.sources) == ["scenes"] and plan.remote == []
    assert len(plan.listing.rows) == 16
    (shard,) = plan.shards.values()
    assert isinstance(shard, PlannedShard) and len(shard.rows) == 16
    assert plan.lines("q.parquet") == []


def test_methods_and_maps_without_effect_are_told_of(table):
    vectors = run(table("a", "b"), TEXTS, methods=["mean"])
    (line,) = Plan(vectors, Path(), Path).lines("q.parquet")
    assert line.startswith("methods has no effect")
    unmapped = run(methods=["mean"], maps=["std"])
    (line,) = Plan(unmapped, Path(), Path).lines("q.parquet")
    assert line == "No map is made: none of the methods in maps (std) is measured."
    assert Plan(run(methods=["mean"], maps=["mean"]), Path(), Path).lines("q") == []


def test_a_column_that_maps_cannot_be_coloured_by_is_refused(tmp_path):
    judged = tmp_path / "judged.csv"
    judged.write_text("id,score,title\nscenes_0000,0.5,a\n")
    annotations = [{"path": str(judged)}]
    for known in ("label", "trust", "question_type", "score", "annotation.title"):
        check_all(run(report={"color_by": known}, annotations=annotations))
    said = complaint(run(report={"color_by": "scor"}, annotations=annotations))
    assert said.startswith("report.color_by: Unknown column 'scor'. Did you mean 'score'?")
    allowed = set(said.split("Allowed: ")[1].rstrip(".").split(", "))
    assert {"group", "label", "trust", "question_type", "answer", "annotation.title"} <= allowed
    assert allowed.isdisjoint({"id", "image", "boxes", "source", "text", "title"})


def test_what_is_remote_is_not_looked_at():
    plan = check_all(run({"kind": "docstrings", "packages": ["numpy"]}, TEXTS))
    assert plan.remote == ["docstrings"]


def test_pictures_outside_class_folders_have_two_remedies(pictures):
    source = pictures("1.png", "2.png")
    said = complaint(run(source))
    assert said.startswith(f"No row of folder ({source['input']}) has a label.")
    assert "a folder of its own" in said and "columns: {label: null}" in said
    assert "\n" not in said
    check_all(run({**source, "columns": {"label": None}}))


def test_a_table_whose_labels_are_empty_is_told_so(table):
    said = complaint(run(table(None, " ", ""), TEXTS))
    assert "has a label. Set 'columns.label' to the column that has it, or to null" in said


def test_one_label_is_told_of_and_no_reason_to_stop(table):
    source = table("a", "a", "a", None)
    (line,) = told(run(source, TEXTS))
    assert line.startswith("Every row has the label 'a'")
    assert told(run({**source, "columns": {"label": None}}, TEXTS)) == []
    assert told(run(table("a", "a", "b"), TEXTS)) == []


def test_the_first_samples_of_sorted_data_are_of_one_label(table):
    samples = {"sources": [table(*"aaaabbbb")], "num_samples": 4}
    line, *_ = told(run(encoders=TEXTS, samples=samples))
    assert "Set 'samples.stratify' to true" in line
    assert not any(
        "label" in line for line in told(run(encoders=TEXTS, samples={**samples, "stratify": True}))
    )


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ({"metrics": {"knn_category": {"k": 4}}}, "metrics.knn_category.k"),
        ({"density": {"k": 4}}, "density.k"),
        ({"inspection": {"k": 4}}, "inspection.k"),
    ],
)
def test_more_neighbors_than_samples_are_refused_where_they_were_asked_for(table, part, key):
    source = table("a", "b", "a", "b")
    said = complaint(run(source, TEXTS, **part))
    assert said.startswith(f"{key} is 4, but with 4 samples each has at most 3 neighbors.")
    check_all(run(table("a", "b", "a", "b", "a"), TEXTS, **part))
    # Defaults are for more samples, and those of graphs and maps are upper bounds.
    check_all(run(source, TEXTS))
    bounds = {"neighbors": {"k": 60}, "projections": {"tsne": {"perplexity": 20}}}
    check_all(run(source, TEXTS, **bounds))


def test_all_that_is_wrong_with_encoders_is_said_at_once(table, tmp_path):
    encoders = [
        {"kind": "vae", "name": "gone", "model": str(tmp_path / "gone")},
        {"kind": "image", "name": "empty", "model": str(tmp_path)},
        {"kind": "cached", "input": str(tmp_path / "gone.npz")},
        *TEXTS,
    ]
    lines = complaint(run(table("a", "b"), encoders)).splitlines()
    assert [line.split(" (")[0].rstrip(".") for line in lines] == [
        f"Encoder gone: {tmp_path}/gone: no such folder. Check 'model'",
        "Encoder gone needs images, which the source table does not give. Leave one of them out, "
        "or map the source's 'columns.image'",
        f"Encoder empty: {tmp_path} has no config.json, which says what model it is. Check 'model'",
        "Encoder empty needs images, which the source table does not give. Leave one of them out, "
        "or map the source's 'columns.image'",
        f"Encoder cached: {tmp_path}/gone.npz: No such file or directory. Check the 'input' of the "
        "encoder 'cached'",
        "Encoder cached needs latents, which the source table does not give. Leave one of them out",
    ]


@pytest.mark.parametrize(
    "latents", [np.zeros((4, 2, 3, 3), np.int32), np.zeros((4, 2, 3)), np.array(["a"] * 4)]
)
def test_latents_of_another_type_or_shape_are_refused(tmp_path, latents):
    path = tmp_path / "a.npz"
    metadata = json.dumps([{"id": f"s{n}", "qa_category": "ab"[n % 2]} for n in range(4)])
    np.savez(path, latents=latents, metadata=metadata)
    source = {"kind": "npz", "input": str(path)}
    said = complaint(run(source, [{"kind": "cached", "input": str(path)}]))
    assert f"'latents' is {latents.dtype} {latents.shape}" in said and "\n" not in said
    np.savez(path, latents=np.zeros((4, 2, 3, 3), np.float16), metadata=metadata)
    check_all(run(source, [{"kind": "cached", "input": str(path)}]))


def test_a_cache_is_written_over_nothing_of_others(tmp_path):
    path = tmp_path / "cache.npz"
    export = {"export": {"cache": str(path)}}
    check_all(run(**export))
    np.savez(path, latents=np.zeros((2, 1, 2, 2), np.float32), metadata="[]")
    assert f"{path} is there, and not of this run" in complaint(run(**export))
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"written by the latentmap run a"
    check_all(run(**export))
    source = {"kind": "npz", "input": str(path)}
    assert f"{path} is read by this run" in complaint(run(source, **export))
    around = {"export": {"cache": str(tmp_path / "other" / ".." / "cache.npz")}}
    assert "is read by this run" in complaint(run(source, **around))


@pytest.mark.parametrize(
    ("path", "changes", "words"),
    [
        ("x.npz", {"variants": ["plain", "boxes"]}, r"latents of dct \(plain\), dct \(boxes\)"),
        ("x{run}.npz", {}, r"\{run\} in 'x\{run\}.npz'; allowed: \{encoder\}, \{variant\}"),
        ("x.npz", {"encoders": [{"kind": "metadata"}]}, "latents of all encoders are vectors"),
    ],
)
def test_a_path_that_cannot_hold_the_caches_of_a_run_is_refused(path, changes, words):
    with pytest.raises(LatentmapError, match=f"export.cache: .*{words}"):
        run(**changes, export={"cache": path})


def test_several_caches_have_paths_of_their_own():
    asked = run(variants=["plain", "boxes"], export={"cache": "~/{encoder} {variant}.npz"})
    home = Path.home()
    assert asked.cache_files == {
        ("dct", "plain"): f"{home}/dct plain.npz",
        ("dct", "boxes"): f"{home}/dct boxes.npz",
    }


def test_vectors_of_caches_come_from_caches(pictures):
    source = pictures("a/1.png", "b/2.png")
    assert "needs vectors" in complaint(run(source, [{"kind": "embedding_cache", "input": None}]))


def model(folder: Path, **changes: str | None) -> Path:
    """Copy the small model, with other files in it or without some."""
    shutil.copytree(TINY, folder)
    for name, text in changes.items():
        (path,) = folder.glob(f"{name}*")
        path.unlink() if text is None else path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("changes", "options", "line"),
    [
        ({"config": None}, {}, "has no config.json, which says what model it is. Check 'model'."),
        ({"config": "{"}, {}, "config.json is no JSON"),
        ({"diffusion": None}, {}, "has no weights as safetensors"),
        ({}, {"size": 60}, "Size 60 is not a multiple of 8"),
        ({}, {"subfolder": "vae"}, "vae has no config.json"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_refused(tmp_path, changes, options, line):
    folder = model(tmp_path / "m", **changes)
    assert line in complaint(run(encoders=[{"kind": "vae", "model": str(folder), **options}]))


def test_a_folder_of_models_names_the_ones_inside(tmp_path):
    model(tmp_path / "m" / "vae")
    encoder = {"kind": "vae", "model": str(tmp_path / "m"), "size": 64}
    assert "'subfolder' may be vae." in complaint(run(encoders=[encoder]))
    check_all(run(encoders=[{**encoder, "subfolder": "vae"}]))


def test_a_model_that_is_whole_and_one_on_the_hub_pass():
    encoders = [{"kind": "vae", "model": str(TINY), "size": 64}]
    check_all(run(encoders=[*encoders, {"kind": "image", "model": "a/b"}]))


def test_a_missing_device_is_said_but_refused_by_the_run_only(monkeypatch):
    encoders = [{"kind": "vae", "model": str(TINY), "size": 64, "device": "cuda"}]
    asked = run(encoders=encoders)
    monkeypatch.setattr(checks, "may_have", lambda device: device != "cuda")
    assert missing_devices(asked) == [
        "Encoder vae: there is no 'cuda' device here. Set its device to auto or cpu."
    ]
    check_all(asked)
    monkeypatch.setattr(checks, "may_have", lambda device: True)
    assert missing_devices(asked) == []


def test_a_hidden_device_is_none(monkeypatch):
    monkeypatch.setattr(devices.sys, "platform", "linux")
    monkeypatch.setattr(devices.Path, "exists", lambda path: True)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert devices.may_have("cuda") and devices.may_have("cpu") and not devices.may_have("mps")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not devices.may_have("cuda") and devices.may_have("auto")


def test_annotations_that_are_not_there_are_refused(tmp_path):
    lost = {"path": str(tmp_path / "gone.csv")}
    assert "gone.csv: No such file" in complaint(run(annotations=[lost]))


def test_annotations_without_the_column_that_is_asked_for_are_refused(tmp_path):
    for name, text in (("a.csv", "id,score\n1,2\n"), ("a.jsonl", '{"id": 1, "score": 2}\n')):
        (tmp_path / name).write_text(text)
    asked = {"path": str(tmp_path / "a.csv"), "columns": ["scores"]}
    said = complaint(run(annotations=[asked]))
    assert "a.csv: Unknown column 'scores'. Did you mean 'score'?" in said
    check_all(run(annotations=[{**asked, "columns": ["score"]}]))
    # Of JSON lines, a later one may have the key.
    check_all(run(annotations=[{**asked, "path": str(tmp_path / "a.jsonl")}]))


def test_a_reference_run_that_is_not_there_or_lacks_something_is_refused(tmp_path):
    placed = run(reference_run="old", methods=["mean"], projections={"tsne": None, "umap": None})
    (line,) = wrong_with_reference(placed, tmp_path)
    assert "old/samples/manifest.json is not there. Run 'old' first" in line
    manifest = tmp_path / "old" / "samples" / "manifest.json"
    write_manifest(manifest, [Shard("0000-a", 3, 0, "")])
    (line,) = wrong_with_reference(placed, tmp_path)
    assert "old/latents/dct/plain/0000-a.arrow is not there" in line
