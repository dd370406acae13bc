"""What `snakemake exports` writes."""

from __future__ import annotations

import json
import re

import polars as pl

METHODS = ("mean", "minmax")


def test_embeddings_and_3d_maps_in_the_formats_that_are_asked_for(project):
    project.configure(
        {
            "export": {"formats": ["parquet"], "latents": False},
            "projections": {"tsne": None, "space": {"kind": "pca", "dims": 3}},
        }
    )
    project.snakemake("exports")
    folder = project.results / "export"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    keys = [f"dct/{variant}/{method}" for variant in ("plain", "boxes") for method in METHODS]
    keys += [f"metadata/{variant}/flatten" for variant in ("plain", "boxes")]
    mapped = [key for key in keys if not key.endswith("minmax")]
    assert found == {
        "metadata.csv",
        *(f"{key}/embeddings.parquet" for key in keys),
        *(f"{key}/space/embeddings_3d.json" for key in mapped),
    }
    table = pl.read_parquet(folder / "dct/plain/mean/embeddings.parquet")
    points = json.loads((folder / "dct/plain/mean/space/embeddings_3d.json").read_text())["points"]
    assert [point["source"] for point in points] == table["label"].to_list()
    assert table["id"].to_list() == pl.read_csv(folder / "metadata.csv")["id"].to_list()


def test_pages_are_bundled_for_the_report_that_snakemake_makes(project):
    project.snakemake("bundled")
    report = project.results / "report"
    pages = {path.relative_to(report) for path in report.rglob("*.html")}
    bundled = project.results / "bundled"
    assert {path.relative_to(bundled) for path in bundled.rglob("*.html")} == pages
    for page in pages:
        assert not re.search(r'(src|href)="[^"]*assets/', (bundled / page).read_text())
    project.snakemake("bundled", "--report", "made.html")
    made = (project.folder / "made.html").read_text()
    assert all(text in made for text in ("Deep dive", "Nearest neighbors", "metrics_table.csv"))
