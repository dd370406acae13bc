"""What `snakemake exports` writes."""

from __future__ import annotations

import json

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
