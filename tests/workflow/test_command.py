"""`latentmap run` in an empty folder of an odd name: from data to a report, killed on the way."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from latentmap.cli import main
from latentmap.store.files import read_json, write_json

pytestmark = pytest.mark.workflow

SRC = str(Path(__file__).parents[2] / "src")
QUICK = ["projections={tsne: null, umap: null}", "explorer=null", "neighbors={k: 20}"]
QUICK += ["metrics={knn_category: {}, other_metric: null}", "trust={seeds: 0}"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with vectors of two kinds, and labels beside them."""
    folder = tmp_path_factory.mktemp("a b'#c") / 'set "#2" {x}'
    folder.mkdir()
    means = np.repeat([[0.0], [3.0]], 20, axis=0)
    values = np.random.default_rng(0).normal(means, size=(40, 6))
    np.save(folder / "my 'vectors' #1.npy", values.astype(np.float32))
    labels = pl.DataFrame({"label": ["low"] * 20 + ["high"] * 20})
    labels.write_csv(folder / "my 'vectors' #1_labels.csv")
    return folder


def command(*arguments):
    quick = ["--cores", "2", "--config", *QUICK]
    return [sys.executable, "-m", "latentmap", "run", "my 'vectors' #1.npy", *quick, *arguments]


def run(folder, *arguments):
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SRC},
        capture_output=True,
        text=True,
        check=False,
    )


def test_from_data_to_a_report_in_one_command_that_may_be_killed(folder):
    started = subprocess.Popen(
        command(),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SRC},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    name = "my_vectors_1"
    results = folder / "results" / name
    while not (results / "run.json").exists():  # the locks are set, the jobs begin
        assert started.poll() is None, started.stdout.read()
        time.sleep(0.2)
    started.kill()
    started.wait()
    assert list(folder.glob(".snakemake/locks/*"))

    done = run(folder)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said == [
        "my 'vectors' #1.npy: 40 vectors of 6 numbers, with labels in my 'vectors' #1_labels.csv. "
        "Ready configuration: config/vectors.yaml."
    ]
    lines = done.stderr.splitlines()
    assert "The last run was killed: its locks are removed, and this one goes on." in lines
    assert any(re.fullmatch(r"done  (\d+) of \1 jobs  .*jobs/(s|min)", line) for line in lines)
    verdict, measured, chance, report = lines[-4:]
    assert verdict.startswith("Best: vectors")
    assert measured.startswith("  kNN") and "Chance level: " in chance
    assert report == f"Report: {results}/report/summary_report.html"
    assert (results / "report/summary_report.html").is_file()
    # The configuration that was used is beside the results, and makes the same run.
    used = yaml.safe_load((results / "config.yaml").read_text())
    assert (used["run"], used["input"]) == (name, "my 'vectors' #1.npy")
    again = subprocess.run(
        [*command()[:4], "--configfile", str(results / "config.yaml"), "--dry-run"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SRC},
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.stdout.splitlines()[1:] == ["Nothing has to be done."], again.stderr


def test_what_differs_between_two_runs_is_said_with_intervals(folder, capsys):
    before, after = folder / "results/my_vectors_1", folder / "results/copy"
    shutil.copytree(before, after)
    assert main(["diff", str(before), str(after)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "samples: 40 in both",
        "The same in the embedding that both runs have.",
    ]
    path = after / "metrics/vectors/plain/flatten.json"
    found = read_json(path)
    found["metrics"]["knn_category_acc_grouped"] |= {"value": 0.25, "interval": [0.2, 0.31]}
    write_json(path, found)
    assert main(["diff", str(before), str(after)]) == 0
    *_, values, note = capsys.readouterr().out.splitlines()
    assert re.search(
        r"vectors / flatten \(plain\) .* → 0\.250 \[0\.200, 0\.310\]  \(-0\.\d+\)", values
    )
    assert values.endswith("intervals apart") and note.startswith("Intervals are of each run")
    assert main(["diff", str(before), str(after), "--metric", "hubness"]) == 1
    assert "Did you mean" in capsys.readouterr().err
    shutil.rmtree(after)


def test_a_dry_run_says_by_stage_what_would_run_and_how_long(folder):
    done = run(folder, "--run", "other", "--dry-run", "--config", "trust={}")
    _, header, *stages, last = done.stdout.splitlines()
    assert header.split() == ["stage", "jobs", "on", "one", "core", "disk"]
    assert [line.split()[0] for line in stages][:3] == ["samples", "draw", "encode"]
    assert re.search(r"jobs: about \d+ \w+ on 2 cores and .* judged by results/my_vectors_1", last)
    assert not (folder / "results/other").exists()


def test_what_is_wrong_is_one_line_and_last(folder):
    done = run(folder, "--run", "bad", "--config", "methods=mena")
    assert done.returncode == 1
    assert "Did you mean 'mean'?" in done.stderr.splitlines()[-1]
    assert not (folder / "results/bad").exists()


def test_the_error_of_a_job_is_the_last_line_and_a_mended_run_goes_on(folder):
    results = folder / "results/my_vectors_1"
    embedding = results / "embeddings/vectors/plain/flatten.parquet"
    whole, times = embedding.read_bytes(), embedding.stat()
    embedding.write_bytes(whole[:-40])
    os.utime(embedding, ns=(times.st_atime_ns, times.st_mtime_ns))
    metrics = results / "metrics/vectors/plain/flatten.json"
    metrics.rename(folder / "kept.json")
    done = run(folder)  # Snakemake makes nothing anew of which the results are there
    assert done.returncode == 0 and done.stderr.splitlines()[-1].startswith("Report: ")
    (folder / "kept.json").rename(metrics)
    done = run(folder, "--", "--forcerun", "measure_embedding")
    assert done.returncode == 1
    *before, last = done.stderr.splitlines()
    assert last.startswith("Error: ") and "flatten.parquet" in last and "log: " in last
    assert "Failed: measure_embedding" in "\n".join(before)
    assert "Traceback" not in done.stderr
    embedding.write_bytes(whole)
    os.utime(embedding, ns=(times.st_atime_ns, times.st_mtime_ns))
    done = run(folder)
    assert done.returncode == 0 and done.stderr.splitlines()[-1].startswith("Report: ")


def test_other_targets_are_named_after_two_dashes(folder):
    done = run(folder, "--dry-run", "--", "exports")
    assert [line.split()[0] for line in done.stdout.splitlines()[2:-1]] == ["export"]


def test_ctrl_c_ends_it_and_leaves_nothing_to_unlock(folder):
    """On a terminal, which sends the signal to the whole group and shows one line."""
    master, slave = pty.openpty()
    started = subprocess.Popen(
        command("--run", "stopped"),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SRC},
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    while not re.search(rb"\d of \d+ jobs", shown):
        shown += os.read(master, 4096)
    os.killpg(started.pid, signal.SIGINT)
    with suppress(OSError):  # until the terminal is closed
        while more := os.read(master, 4096):
            shown += more
    assert started.wait() != 0
    assert b"Stopped. The same command goes on from here." in shown
    assert b"WorkflowError" not in shown and b"Failed" not in shown
    assert not list(folder.glob(".snakemake/locks/*"))
