"""A run of several sources is placed into the maps of a finished run, which stay as they are."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from latentmap.report.publish import charts_in
from latentmap.store.maps import read_map

pytestmark = pytest.mark.workflow

CONFIGURED = ("--configfile", "config/small.yaml")

NEW = {
    "run": "new",
    "reference_run": "small",
    "samples": {
        "sources": [
            {"kind": "scenes", "images": 4, "seed": 1},
            {"kind": "scenes", "images": 4, "seed": 2, "name": "other"},
        ]
    },
    "variants": ["plain"],
    "encoders": [{"kind": "dct", "size": 64}],
}


def test_a_run_is_placed_into_the_maps_of_another_and_compared_with_it(project):
    before = project.contents()
    project.configure(NEW)
    page = "results/new/report/dct/plain/per_method/mean/umap.html"
    project.snakemake("results/new/metrics/dct/plain/mean.sources.json", page)
    new = project.results.parent / "new"
    found = json.loads((new / "metrics/dct/plain/mean.sources.json").read_text())
    assert [s["name"] for s in found["sources"]] == ["small (reference)", "scenes", "other"]
    assert [s["samples"] for s in found["sources"]] == [24, 16, 16]
    assert set(found["maps"]) == {"pca", "umap"}
    placed = pq.read_table(new / "projections/dct/plain/mean/umap.parquet")
    facts = json.loads(placed.schema.metadata[b"latentmap"])
    assert (facts["reference"], len(placed)) == ("small", 32)
    assert project.contents() == before
    text = (project.results.parents[1] / page).read_text()
    embedded = charts_in(text)["map"]
    (grey,) = embedded["spec"]["datasets"].values()
    assert (len(grey["x"]), len(embedded["points"]["x"])) == (24, 32)
    theirs = project.results / "projections/dct/plain/mean/umap.parquet"
    places = read_map(theirs).coordinates.tolist()
    drawn = np.stack([grey["x"], grey["y"]], axis=1)
    assert drawn == pytest.approx(np.array(places), rel=1e-5)

    project.configure({**NEW, "reference_run": "gone"})
    said = project.run_snakemake("-n", *CONFIGURED, check=False)
    assert "results/gone/samples/manifest.json is not there. Run 'gone' first" in said
    project.configure({**NEW, "neighbors": {"metric": "cosine"}})
    said = project.run_snakemake("-n", *CONFIGURED, check=False)
    assert "another metric (neighbors.metric euclidean there, cosine here)" in said
    project.configure({**NEW, "encoders": [{"kind": "metadata", "name": "dct"}]})
    said = project.run_snakemake("-n", *CONFIGURED, check=False)
    assert "made by an encoder of kind 'dct', this run has 'metadata'" in said
