"""Old shards are found, and nothing that a manifest names or an interrupted run has made."""

import os
import subprocess
import sys

import pytest

from latentmap.cli import main
from latentmap.errors import LatentmapError
from latentmap.shell.leftovers import old_shards
from latentmap.store.manifest import Shard, write_manifest

OLD, SEALED, NEW = (f"000{n}-0123456789abcdef" for n in range(3))
FILES = ("samples/{}.arrow", "samples/quarantine/{}.parquet", "latents/vae/plain/{}.arrow")
FILES += ("latents/vae/boxes/.{}.0123456789abcdef.sealed",)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run with a shard that has gone, one that is sealed, and one made since."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "mine"
    for shard in (OLD, SEALED, NEW):
        for name in FILES:
            path = folder / name.format(shard)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(1000))
            os.utime(path, (1, 1))
    (folder / "run.json").touch()
    write_manifest(folder / "samples/manifest.json", [Shard(SEALED, 1, 0, "digest")])
    for name in FILES:
        os.utime(folder / name.format(NEW))
    return folder


def test_files_that_no_manifest_names_are_old(run):
    assert old_shards(run) == sorted(run / name.format(OLD) for name in FILES)


def test_clean_says_what_it_would_remove_and_removes_it(run, capsys):
    before = sorted(path for path in run.rglob("*") if path.is_file())
    assert main(["clean", "results/mine", "--dry-run"]) == 0
    assert capsys.readouterr().out == (
        f"{run.relative_to(run.parents[1])}: 4 files of 1 old shard, 0.0 MB, would be removed.\n"
    )
    assert main(["clean", "results/mine"]) == 0
    assert capsys.readouterr().out.endswith("old shard, 0.0 MB, are removed.\n")
    left = sorted(path for path in run.rglob("*") if path.is_file())
    assert left == [path for path in before if OLD not in path.name]
    assert main(["clean"]) == 0  # all runs
    assert capsys.readouterr().out == "Nothing to remove in results/mine.\n"


def test_a_run_under_way_is_left_alone(run):
    code = "import sys, time; from pathlib import Path; from latentmap.locks import take_over\n"
    code += "take_over(Path('results/mine'), is_dry=False); print(flush=True); time.sleep(60)"
    writing = subprocess.Popen(
        [sys.executable, "-c", code], cwd=run.parents[1], stdout=subprocess.PIPE
    )
    writing.stdout.readline()
    with pytest.raises(LatentmapError, match="is being written"):
        old_shards(run.relative_to(run.parents[1]))
    writing.kill()
    writing.wait()
    assert old_shards(run)


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(LatentmapError, match="is no folder of a run"):
        old_shards(tmp_path)
