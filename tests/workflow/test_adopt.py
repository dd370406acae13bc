"""Latents that only code has outdated are taken over if they are the same, and refused if not."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.workflow

HELPER = "src/latentmap/encode/images.py"


def adopt(project) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "latentmap",
            "adopt",
            "results/small",
            "--configfile",
            "config/small.yaml",
        ],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def pending(project) -> set[str]:
    """What a run would make of latents and embeddings."""
    return {n for n in project.pending() if n.startswith(("latents/", "embeddings/"))}


def test_latents_that_are_the_same_are_taken_over_and_others_refused(unfinished):
    project = unfinished
    encoders = [{"kind": "dct", "size": 64}, {"kind": "metadata"}]
    sources = {"sources": [{"kind": "scenes", "images": 6}], "shard_size": 16}
    project.configure(
        {"samples": sources, "encoders": encoders, "variants": ["boxes"], "methods": ["mean"]}
    )
    project.snakemake("embeddings")
    before = project.outputs()
    latents = {name for name in before if name.startswith("latents/dct/")}
    assert len(latents) == 2

    project.edit(HELPER, "def stretched(", "EDITED = 1\n\n\ndef stretched(")
    assert latents <= pending(project)
    done = adopt(project)
    assert done.returncode == 0, done.stderr
    assert "dct (boxes), 2 shards: taken over." in done.stdout
    assert "16 samples encoded anew gave the same latents, bit by bit" in done.stdout
    # No job encodes, and none that follows is woken.
    assert pending(project) == set()
    after = project.outputs()
    assert {name: after[name] for name in latents} == {name: before[name] for name in latents}

    project.edit(HELPER, "np.asarray(image.resize(", "255 - np.asarray(image.resize(")
    done = adopt(project)
    assert done.returncode == 1
    assert "dct (boxes), 2 shards: not taken over. Of 16 samples encoded anew" in done.stderr
    assert latents <= pending(project)
