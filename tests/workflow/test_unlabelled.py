"""Images without labels are mapped, explored and measured, and the report says what is left out."""

import csv
import io
import json
import re

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from latentmap.draw.colors import OKABE_ITO

pytestmark = pytest.mark.workflow

# The first is a label of a group of the default run, which must not reach another one.
FOLDERS = ("direction", "other")

QUICK = {
    "encoders": [{"kind": "dct", "size": 64}],
    "methods": ["mean", "minmax"],
    "maps": ["mean"],
    "projections": {"tsne": None, "umap": None, "space": {"kind": "pca", "dims": 3}},
    "neighbors": {"k": 12},
    "export": {"formats": ["npz", "parquet"]},
    "explorer": None,
}


def write_pictures(project) -> None:
    """Two folders of pictures, the second in class folders; no two pictures are alike."""
    for number in range(32):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 8, 3), np.uint8)
        place = f"one/{number}.png" if number < 16 else f"two/{FOLDERS[number % 2]}/{number}.png"
        path = project.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).resize((64, 64)).save(path)


def configure(project, run: str, *sources: dict[str, object]) -> tuple[str, str]:
    """Write a configuration; return the arguments that name it."""
    config = {**QUICK, "run": run, "samples": {"sources": list(sources)}}
    (project.folder / f"{run}.yaml").write_text(yaml.safe_dump(config))
    return "--configfile", f"{run}.yaml"


def source(name: str, **options: object) -> dict[str, object]:
    return {"kind": "folder", "name": name, "input": name, **options}


def test_pictures_without_labels(unfinished):
    write_pictures(unfinished)
    unlabelled = {"columns": {"label": None}}
    sources = source("one", **unlabelled), source("two", **unlabelled)
    configured = configure(unfinished, "bare", *sources)
    unfinished.run_snakemake("all", "exports", "figures", *configured)
    bare = unfinished.folder / "results" / "bare"

    summary = (bare / "report/summary_report.html").read_text()
    assert summary.count("No labels:") == 1
    assert "32 samples, 1 encoder, 1 variant, 2 pooling methods." in summary
    headings = re.findall(r"<h[23]>(.*?)</h", summary)
    assert "Maps" in headings
    assert "Comparison" not in headings and "Best of" not in summary
    assert "0 (0 to 0)" not in summary
    report = bare / "report"
    pages = {path.relative_to(report).as_posix() for path in report.rglob("*.html")}
    assert pages == {
        "summary_report.html",
        *(f"dct/plain/per_method/mean/{name}.html" for name in ("pca", "space")),
        *(f"dct/plain/comparisons/{name}.html" for name in ("method_agreement", "cost_pareto")),
        *(f"dct/plain/deep_dive/{name}.html" for name in ("channel_correlations", "per_channel")),
        *(f"dct/plain/deep_dive/{name}.html" for name in ("nearest_neighbors", "sources")),
    }
    for page in pages:
        assert "Nothing on this page is defined" not in (bare / "report" / page).read_text()
    page = (bare / "report/dct/plain/per_method/mean/pca.html").read_text()
    assert '<option value="column0" selected>source</option>' in page

    metrics = json.loads((bare / "metrics/dct/plain/mean.json").read_text())
    assert metrics["labelled"] == 0 and metrics["labels"] == {}
    assert "effective_dim_90" in metrics["metrics"] and "silhouette" not in metrics["metrics"]
    assert json.loads((bare / "metrics/ranking.json").read_text())["scopes"][0]["ranking"] == []
    compared = json.loads((bare / "metrics/dct/plain/mean.sources.json").read_text())
    assert len(compared["pairs"]) == 1

    rows = list(csv.DictReader(io.StringIO((bare / "export/metadata.csv").read_text())))
    assert {(row["label"], row["label_group"]) for row in rows} == {("", "")}
    with np.load(bare / "export/dct/plain/mean/embeddings.npz") as archive:
        assert {row["qa_category"] for row in json.loads(str(archive["metadata"]))} == {None}
    exported = pl.read_parquet(bare / "export/dct/plain/mean/embeddings.parquet")
    assert exported["label"].null_count() == 32
    points = json.loads((bare / "export/dct/plain/mean/space/embeddings_3d.json").read_text())
    assert points["metadata"]["sources"] == ["no label"]
    assert len(list((bare / "report").rglob("figures/*.svg"))) >= 4

    # One source with labels, one without: metrics of labels are those of the first.
    mixed = configure(unfinished, "mixed", source("one", **unlabelled), source("two"))
    alone = configure(unfinished, "alone", source("two"))
    wanted = ("metrics/dct/plain/mean.json", "report/dct/plain/deep_dive/nearest_neighbors.html")
    found = []
    for configured, run in ((mixed, "mixed"), (alone, "alone")):
        unfinished.run_snakemake(*(f"results/{run}/{name}" for name in wanted), *configured)
        found.append(json.loads((unfinished.folder / f"results/{run}/{wanted[0]}").read_text()))
    assert (found[0]["samples"], found[0]["labelled"]) == (32, 16)
    assert found[0]["labels"] == found[1]["labels"]
    shares = [run["metrics"]["knn_category_acc"]["value"] for run in found]
    assert shares[0] == shares[1]
    labels = json.loads((unfinished.folder / "results/mixed/report/labels.json").read_text())
    assert labels["labels"] == [{"group": name, "name": name, "samples": 8} for name in FOLDERS]
    assert [group["color"] for group in labels["groups"]] == list(OKABE_ITO[:2])
    assert labels["without"] == 16
    page = (unfinished.folder / f"results/mixed/{wanted[1]}").read_text()
    assert re.findall(r"<code>(.*?)</code>", page)
    assert not any(name[0].isdigit() for name in re.findall(r"<code>(.*?)</code>", page))
