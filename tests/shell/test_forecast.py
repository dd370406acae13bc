"""A run is judged by the run nearest in size: by rule, by shard, by stage."""

import os

import pytest

from latentmap.shell.forecast import expect, nearest_past, past_seconds, read_past
from latentmap.shell.launch import forecast_lines
from latentmap.store.manifest import Shard, name_run, write_manifest

IDS = ("0000-0123456789abcdef", "0001-0123456789abcdef")


def benchmark(folder, job, seconds):
    path = folder / "benchmarks" / f"{job}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\tmax_rss\tcpu_time\n{seconds}\t-\t-\n")


@pytest.fixture
def runs(tmp_path):
    """A run of 200 samples in two shards, and one that never came far."""
    done = tmp_path / "results" / "done"
    done.mkdir(parents=True)
    name_run(done)
    write_manifest(
        done / "samples/manifest.json", [Shard(shard, 100, 0, "digest") for shard in IDS]
    )
    for shard in IDS:
        benchmark(done, f"encode_samples/dct/plain/{shard}", 10)
    for method, seconds in (("mean", 1), ("max", 3)):
        benchmark(done, f"pool_latents/dct/plain/{method}", seconds)
    files = (("latents/x", 4000), ("embeddings/x", 600), ("report/summary_report.html", 1))
    for name, size in files:
        (done / name).parent.mkdir(parents=True)
        (done / name).write_bytes(bytes(size))
    benchmark(tmp_path / "results" / "begun", "pool_latents/dct/plain/mean", 50)
    os.utime(tmp_path / "results" / "begun/benchmarks", (1, 1))
    return tmp_path / "results"


def test_the_mean_of_a_rule_is_that_of_the_same_run_or_of_the_newest(runs):
    assert past_seconds(runs, "new") == {"encode_samples": 10, "pool_latents": 2}
    assert past_seconds(runs, "begun") == {"encode_samples": 10, "pool_latents": 50}
    assert past_seconds(runs / "none", "new") == {}


def test_shards_and_samples_scale_by_themselves(runs):
    past = nearest_past(runs, 1000)
    assert past == read_past(runs / "done") and past.samples == 200
    counts = {"encode_samples_on_gpu": 6, "encode_samples": 4, "pool_latents": 4, "all": 1}
    # Five times the samples in ten shards of the same size; twice the methods.
    found = expect(counts, 1000, 10, past)
    assert found["encode"] == (10, 100.0, 20_000.0)
    assert found["pool"] == (4, 40.0, 6_000.0)
    # All in one shard: as much work in one job.
    assert expect({"encode_samples": 1}, 1000, 1, past)["encode"] == (1, 100.0, 20_000.0)


def test_it_is_said_by_stage_and_in_all(runs):
    counts = {"pool_latents": 4, "encode_samples": 10, "all": 1}
    lines = list(forecast_lines(counts, 1000, 10, nearest_past(runs, 1000), 2))
    assert [line.split() for line in lines[1:3]] == [
        ["encode", "10", "2", "min", "0.0", "MB"],
        ["pool", "4", "40", "s", "0.0", "MB"],
    ]
    assert lines[3].startswith("14 jobs: about 70 s on 2 cores and 0.0 MB, judged by ")
    assert lines[3].endswith("done (200 samples; here 1,000).")
    # 3 of 10 seconds times five, in ten shards for two.
    *_, last = forecast_lines({"encode_samples_on_gpu": 3}, 1000, 10, nearest_past(runs, 1000), 2)
    assert last == (
        "Of these, 3 jobs would use a GPU, if there is one: 0.0083 GPU hours at the speed of that "
        "run."
    )
    assert list(forecast_lines({"all": 1}, 1000, 10, None, 2)) == ["Nothing has to be done."]
    *_, last = forecast_lines(counts, 1000, 10, None, 2)
    assert last == "14 jobs. No run in results/ has finished yet by which to tell time and disk."


def test_a_run_that_never_came_to_its_summary_judges_nothing(runs):
    (runs / "done/report/summary_report.html").unlink()
    assert nearest_past(runs, 200) is None
