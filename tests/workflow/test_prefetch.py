"""Models of the hub can be fetched before the jobs that have no network."""

import shutil

import pytest

pytestmark = pytest.mark.workflow


def test_models_are_fetched_before_any_job_needs_them(unfinished):
    # As the hub's own library keeps a model that was fetched before.
    cache = unfinished.folder / "hub" / "hub" / "models--some--vae"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("0" * 40)
    shutil.copytree(unfinished.folder / "resources/tiny-vae", cache / "snapshots" / ("0" * 40))
    there = {"kind": "vae", "name": "there", "model": "some/vae", "size": 64}
    unfinished.configure({"encoders": [there, {"kind": "dct", "size": 64}]})
    unfinished.snakemake("prefetch")
    log = next((unfinished.results / "logs").rglob("prefetch*")).read_text()
    assert log.count("Fetching") == 1 and "Fetching some/vae" in log

    unfinished.configure({"encoders": [there, {**there, "name": "not", "model": "no/vae"}]})
    said = unfinished.run_snakemake("prefetch", "--configfile", "config/small.yaml", check=False)
    assert "no/vae cannot be had: there is no such folder" in said.splitlines()[-1]
    assert unfinished.outputs().keys() == {"run.txt"}
