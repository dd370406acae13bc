"""Shards that wait for the same encoder are encoded by one process, each as by its own job."""

import pytest

pytestmark = pytest.mark.workflow


def taken(project) -> set[str]:
    """The shards whose jobs found their latents made."""
    logs = (project.results / "logs/encode_samples").rglob("*.log")
    return {log.stem for log in logs if "was encoded by another job" in log.read_text()}


def test_shards_that_wait_are_encoded_with_what_is_loaded(unfinished):
    config = {"variants": ["plain"], "encoders": [{"kind": "dct", "size": 64}]}
    sources = [{"kind": "scenes", "images": 6}]
    unfinished.configure({**config, "samples": {"sources": sources, "shard_size": 6}})
    unfinished.snakemake("latents")
    folder = unfinished.results / "latents/dct/plain"
    made = sorted(path.stem for path in folder.iterdir())
    assert len(made) == 4 and not any(name.startswith(".") for name in made)
    # At most one job on each of two cores has encoded.
    assert len(taken(unfinished)) >= 2
    whole = {name: (folder / f"{name}.arrow").read_bytes() for name in made}

    # The jobs of a submission to a cluster learn of one another, and make what they would alone.
    for name in made[:2]:
        (folder / f"{name}.arrow").unlink()
    jobs = [f"encode_samples:encoder=dct,variant=plain,shard={name}" for name in made[:2]]
    options = ["--mode", "remote", "--nolock", "--cores", "1", "--allowed-rules", "encode_samples"]
    unfinished.snakemake(*options, "--target-jobs", *jobs)
    assert len(taken(unfinished) & set(made[:2])) == 1
    assert {path.stem: path.read_bytes() for path in folder.iterdir()} == whole
