"""Annotations join and reach the pages; what they say runs nothing else again."""

import pytest

from latentmap.report.assets import read_samples_asset

pytestmark = pytest.mark.workflow

JOINED = "samples/annotations.parquet"
ASSETS = ("vega.js", "page.js", "page.css", "samples.js", "details.js")


def test_a_changed_annotation_runs_the_join_and_the_pages_of_maps(project):
    table = project.folder / "predictions.csv"
    table.write_text("id,judged\nscene-0-00000-0,wrong\n")
    project.configure({"annotations": [{"path": "predictions.csv"}]})
    maps = {name for name in project.outputs() if "/per_method/" in name and name[-5:] == ".html"}
    assets = {f"report/assets/{name}" for name in ASSETS}
    branch = {JOINED, "report/summary_report.html", *maps, *assets}
    assert len(maps) == 8
    assert project.pending() == branch
    project.snakemake(f"results/small/{JOINED}")
    table.touch()
    assert JOINED not in project.pending()
    table.write_text("id,judged\nscene-0-00000-0,right\n")
    assert project.pending() == branch
    assert project.run() == branch
    page = (project.results / "report/dct/plain/per_method/mean/umap.html").read_text()
    assert ">judged</option>" in page
    shared = read_samples_asset(project.results / "report/assets/samples.js")
    assert shared["further"]["judged"][:2] == ["right", None]


def test_a_missing_annotation_is_said_before_anything_runs(project):
    project.configure({"annotations": [{"path": "gone.csv"}]})
    printed = project.run_snakemake("--configfile", "config/small.yaml", check=False)
    assert "gone.csv: No such file or directory. Check 'path' under 'annotations'." in printed
