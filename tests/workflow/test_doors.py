"""Every ready configuration takes its users' data in, and tells them what is wrong with it."""

import io
import json
import re
import zipfile

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from latentmap.report.assets import END, SAMPLES_START
from latentmap.report.embedded import unpacked
from latentmap.report.publish import charts_in
from latentmap.store.manifest import read_manifest

pytestmark = pytest.mark.workflow

QUICK = {
    "methods": ["mean", "patch4"],
    "maps": ["mean"],
    "projections": {"tsne": None, "umap": None},
    "encoders": [{"kind": "dct", "size": 64}],
    "neighbors": {"k": 20},
    "explorer": None,
}


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def take_in(project, name: str, data: str, **changes) -> str:
    """Run a ready configuration on data, made quick; return the summary page."""
    run_on(project, name, data, **changes)
    return (project.folder / "results/mine/report/summary_report.html").read_text()


def run_on(project, name: str, data: str, **changes) -> str:
    """Run a ready configuration on data, made quick; return what is printed."""
    quick = {**QUICK, **changes}
    (project.folder / "config" / "quick.yaml").write_text(yaml.safe_dump(quick))
    files = [f"config/{name}.yaml", "config/quick.yaml"]
    return project.run_snakemake("--configfile", *files, "--config", "run=mine", f"input={data}")


def test_folder_of_images_with_bad_ones_among_them(unfinished):
    for label in ("cat", "dog <b>"):
        folder = unfinished.folder / "set #2: {x}" / label  # a comment and more to YAML
        folder.mkdir(parents=True)
        for seed in range(6):
            (folder / f"{seed}.png").write_bytes(picture(seed))
    (folder / "cut.png").write_bytes(picture(9)[:500])
    (folder / "notes.txt").write_text("no image")
    summary = take_in(unfinished, "folder", "set #2: {x}")
    (shard,) = read_manifest(unfinished.folder / "results/mine/samples/manifest.json")
    assert (shard.rows, shard.quarantined) == (12, 1)
    aside = pl.read_parquet(unfinished.folder / "results/mine/samples/quarantine.parquet")
    assert aside["id"].to_list() == ["dog <b>/cut.png", None]
    assert aside["action"].to_list() == ["quarantined", "passed over"]
    assert aside["reason"][0] in summary and "dog <b>" not in summary
    # What is passed over is said when a run is planned, and changes the account of it only.
    project = type(unfinished)(unfinished.folder, "mine")
    before = project.outputs()
    for number in range(4):
        (folder.parent / f"{number}.md").write_text("no image")
    printed = run_on(project, "folder", "set #2: {x}")
    assert (
        "folder passes over .md files: 4 (0.md, 1.md, 2.md, …); .txt files: 1 (dog <b>/notes.txt)."
        " Reasons and remedies will be in results/mine/samples/quarantine.parquet."
    ) in printed
    made = {name for name, time in project.outputs().items() if before.get(name) != time}
    assert "samples/quarantine.parquet" in made
    assert not [name for name in made if name.partition("/")[0] not in ("samples", "report")]
    assert not [name for name in made if name.startswith("samples/0")]


def test_cache_of_latents(unfinished):
    latents = np.random.default_rng(0).normal(size=(24, 4, 8, 8)).astype(np.float32)
    metadata = [
        {"id": f"s{i}", "qa_category": ["a", "b"][i % 2], "qa_type": "t"} for i in range(24)
    ]
    np.savez(
        unfinished.folder / "cache.npz",
        latents=latents,
        metadata=json.dumps(metadata),
        thumbnails=json.dumps([None] * 24),
    )
    export = {"cache": "kept/{encoder}.npz"}
    take_in(unfinished, "npz", "cache.npz", encoders=[{"kind": "cached"}], export=export)
    with np.load(unfinished.folder / "kept/cached.npz", allow_pickle=False) as kept:
        np.testing.assert_array_equal(kept["latents"], latents)
        assert [row["qa_type"] for row in json.loads(str(kept["metadata"]))] == ["t"] * 24
    means = pl.read_parquet(unfinished.folder / "results/mine/embeddings/cached/plain/mean.parquet")
    np.testing.assert_allclose(
        np.stack(means["embedding"]), latents.mean((2, 3)), rtol=1e-5, atol=1e-6
    )


def test_plain_vectors(unfinished):
    values = np.random.default_rng(0).normal(size=(25, 8)).astype(np.float32)
    values[7, 3] = np.nan
    labels = np.array(["a", "b"] * 12 + ["a"])
    np.savez(unfinished.folder / "v.npz", embeddings=values, labels=labels)
    take_in(unfinished, "vectors", "v.npz", encoders=[{"kind": "vectors"}])
    embedded = pl.read_parquet(
        unfinished.folder / "results/mine/embeddings/vectors/plain/flatten.parquet"
    )
    np.testing.assert_array_equal(np.stack(embedded["embedding"]), np.delete(values, 7, axis=0))
    aside = pl.read_parquet(unfinished.folder / "results/mine/samples/quarantine.parquet")
    assert aside.select("id", "reason").rows() == [
        ("vectors:7", "its vector has values that are not finite")
    ]


def test_caches_of_two_seeds_and_coordinates_beside_them(unfinished, make_cache):
    rows, labels = 40, [row % 2 for row in range(40)]
    for seed in (1, 2):
        vectors = np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)
        vectors[3 * seed] = np.nan
        folder = make_cache(unfinished.folder / f"caches/m_d/test/seed{seed}", vectors, labels)
        np.save(folder / "seen_old_coords.npy", np.full((rows, 2), seed, np.float32))
    given = "{kind: given, file: seen_old_coords.npy}"
    maps = f"{{tsne: null, umap: null, pca: {{pca: 4}}, old: {given}}}"
    export = "{pages: true, prefix: seen}"
    values = ["run=mine", "input=caches", f"projections={maps}", f"export={export}"]
    place = ["coords", "--configfile", "config/embedding_cache.yaml", "--config", *values]
    unfinished.run_snakemake(*place)
    beside = unfinished.folder / "caches/m_d/test/seed2/seen_pca_coords.npy"
    coords = np.load(beside, allow_pickle=False)
    assert (coords.shape, coords.dtype) == ((rows, 2), np.float32)
    assert np.flatnonzero(np.isnan(coords).any(axis=1)).tolist() == [3, 6]
    # What is there and differs stays, and what was deleted comes back when it is asked for.
    np.save(beside, coords + 1)
    printed = unfinished.run_snakemake(*place, check=False)
    assert "seed2/seen_pca_coords.npy. Nothing was written" in printed
    beside.unlink()
    unfinished.run_snakemake(*place)
    np.testing.assert_array_equal(np.load(beside), coords)
    # What a map was given is not written again, though rows of it are not on the map.
    own = np.load(beside.with_name("seen_old_coords.npy"))
    np.testing.assert_array_equal(own, np.full((rows, 2), 2, np.float32))
    old = (beside.parent / "seen_old.html").read_text()
    assert "Coordinates of seen_old_coords.npy, as they are." in old
    page = (beside.parent / "seen_pca.html").read_text()
    packed = page.partition(SAMPLES_START)[2].partition(END)[0]
    assert unpacked(packed)["id"] == [f"{row:03}.jpg" for row in range(rows) if row not in (3, 6)]
    assert not re.search(r'(src|href)="[^"]*assets/', page)


def test_coordinates_whose_vectors_are_gone(unfinished, make_cache):
    labels = [row % 2 for row in range(30)]
    folder = make_cache(unfinished.folder / "cache", np.zeros((30, 4), np.float32), labels)
    (folder / "embeddings.pt").unlink()
    places = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    np.save(folder / "vis_umap_coords.npy", places)
    (folder / "judged.csv").write_text("file_name,verdict\n003.jpg,wrong\n004.jpg,right\n")
    config = ["--configfile", "config/coordinates.yaml", "--config", "run=mine", "input=cache"]
    config.append("explorer=null")
    joined = "annotations=[{path: cache/judged.csv, key: file_name}]"
    unfinished.run_snakemake(*config, joined)
    results = unfinished.folder / "results/mine"
    (path,) = results.glob("projections/*/plain/flatten/umap.parquet")
    placed = pl.read_parquet(path)
    assert placed["id"].to_list() == [f"{row:03}.jpg" for row in range(30)]
    np.testing.assert_array_equal(placed.select("x", "y").to_numpy(), places)
    summary = (results / "report/summary_report.html").read_text()
    assert "This run measures nothing" in summary and "Leaderboard" not in summary
    (page,) = results.glob("report/*/plain/per_method/flatten/umap.html")
    text = page.read_text()
    assert "Coordinates of vis_umap_coords.npy, as they are." in text
    assert "trust is not measured" in str(charts_in(text)) and "All metrics" not in text
    assert '<option value="labels" selected>label</option>' in text and ">verdict</option>" in text


@pytest.mark.parametrize("as_text", [False, True], ids=["structs", "literals"])
def test_questions_about_photographs(unfinished, as_text):
    (unfinished.folder / "photographs").mkdir()
    rows = []
    for i in range(24):
        path = f"photographs/{i // 4}.png"
        (unfinished.folder / path).write_bytes(picture(i // 4))
        nested = {
            "image_info": {"file_path": path, "width": 64, "height": 48},
            "qa_info": {"type": "qualitative", "category": ["left_choice", "direction"][i % 2]},
            "bbox": [[2.0, 2.0, 20.0, 20.0], [30.0, 5.0 + i % 4, 60.0, 40.0]],
        }
        shown = {key: repr(value) for key, value in nested.items()} if as_text else nested
        rows.append({"id": f"q{i}", "text_q": "Which?", **shown})
    pl.DataFrame(rows).write_parquet(unfinished.folder / "questions.parquet")
    take_in(unfinished, "relations", "questions.parquet")
    metrics = unfinished.folder / "results/mine/metrics/dct"
    assert {path.parent.name for path in metrics.rglob("mean.json")} == {"plain", "boxes"}


def test_preference_pairs_with_bad_lines_and_duplicates_among_them(unfinished):
    words = ["sky blue", "sea green", "sun red", "leaf brown", "snow white"]
    pairs = [
        {"prompt": f"Why is the {words[n % 5]} number {n}?", "src": ["a <b>", "c"][n % 2]}
        for n in range(40)
    ]
    lines = [json.dumps(pair) for pair in (*pairs, pairs[0], pairs[1])]
    (unfinished.folder / "pairs.jsonl").write_text("\n".join([*lines, "{cut", "[]"]))
    projections = {"tsne": None, "umap": None, "umap3d": None}
    encoders = [{"kind": "tfidf", "dims": 8}]
    summary = take_in(
        unfinished, "jsonl", "pairs.jsonl", encoders=encoders, projections=projections
    )
    (shard,) = read_manifest(unfinished.folder / "results/mine/samples/manifest.json")
    assert (shard.rows, shard.quarantined) == (40, 4)
    assert "same text as an earlier row</td>" in summary
    assert "a <b>" not in summary
    aside = pl.read_parquet(unfinished.folder / "results/mine/samples/quarantine.parquet")
    assert aside.filter(id="jsonl:44")["reason"].item() == "line 44: not a JSON object"


def test_benchmark_on_the_hub_is_downloaded_first_and_offline_is_one_line(unfinished):
    arguments = ["--configfile", "config/spatialrgpt.yaml"]
    announced = unfinished.run_snakemake("--dry-run", *arguments)
    assert "Download hub" in announced and "Encode" not in announced
    printed = unfinished.run_snakemake(*arguments, check=False)
    assert "Traceback" not in printed
    # What a job has found out is said again when all is over, with its log.
    last = printed.splitlines()[-1]
    assert last.startswith("Error: The Hugging Face hub cannot be reached for 'a8cheng/Spatial")
    assert last.endswith("(log: results/spatialrgpt/logs/download_source/hub.log)")


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("variants=[boxs]", "Did you mean 'boxes'?"),
        ("methds=all", "Unknown key 'methds'. Did you mean 'methods'?"),
        ("variants=[plain] #x", "'#x' would be a comment. Put quotes around"),
    ],
)
def test_a_wrong_configuration_is_answered_before_anything_runs(unfinished, given, answer):
    printed = unfinished.run_snakemake("--config", given, check=False)
    assert answer in printed
    assert "Traceback" not in printed
    assert not (unfinished.folder / "results").exists()


def test_data_that_is_not_there_is_one_line(unfinished):
    arguments = ["--configfile", "config/npz.yaml", "--config", "input=nowhere.npz"]
    printed = unfinished.run_snakemake(*arguments, check=False)
    complaint = "nowhere.npz: No such file or directory. Check the 'input' of the encoder 'cached'."
    assert printed.splitlines()[-1] == f"Error: Encoder cached: {complaint}"
    assert "Traceback" not in printed and "File" not in printed


def test_snakemake_builds_its_report_too(project):
    project.snakemake("bundled")
    project.snakemake("bundled", "--report", "archive.zip")
    assert (project.folder / "archive.zip").stat().st_size > 1_000_000
    with zipfile.ZipFile(project.folder / "archive.zip") as archive:
        page = archive.read("archive/report.html").decode()
    assert "small</tt>: start with the summary" in page
    assert "its level and range under permuted labels" in page and "download it to send it" in page
