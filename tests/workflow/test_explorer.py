"""What `snakemake explore` makes, and what it makes again."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.workflow


def test_the_explorer_follows_its_options_and_computes_nothing(project):
    project.configure({"explorer": {}})
    finished = project.outputs()
    dry = project.snakemake("report", "-n")  # its pages show the explorer's pictures
    jobs = {line.split()[0] for line in dry.splitlines() if line.endswith(" 1")}
    assert {"write_pictures", "write_explorer"} <= jobs and "build_explorer" not in jobs
    # The page needs a network once, for the packages that build it.
    project.snakemake("write_explorer")
    folder = project.results / "explorer"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["count"] == 24
    assert manifest["pictures"]["files"] == 6
    made = project.outputs()
    assert {name: made[name] for name in finished} == finished
    assert "Nothing to be done" in project.snakemake("write_explorer")
    project.configure({"explorer": {"pictures": False}})
    dry = project.snakemake("explore", "-n")
    assert {line.split()[0] for line in dry.splitlines() if line.endswith(" 1")} == {
        *("build_explorer", "write_explorer", "write_explorer_page", "explore"),
    }
    project.snakemake("write_explorer")
    assert json.loads((folder / "manifest.json").read_text())["pictures"] is None
    assert not (folder / "thumbnails").exists()
    project.configure({"explorer": None})
    for asked in ("explore", "write_explorer"):
        refused = project.run_snakemake(asked, "--configfile", "config/small.yaml", check=False)
        assert "'explorer: null' leaves the explorer out" in refused
    assert not project.pending()
