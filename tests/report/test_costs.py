import polars as pl
import pytest

from latentmap.report.costs import Job, method_costs, read_benchmark, tabulate_costs
from latentmap.report.plates import rows_of
from latentmap.report.publish import charts_in
from latentmap.store.files import read_plain_json
from latentmap.store.results import EMBEDDING

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"
KEY = ("vae", "boxes", "mean")


def benchmark(path, seconds, rss, cpu):
    path.write_text(f"{HEADER}\n{seconds}\t0:00:02\t{rss}\t9\t9\t9\t0\t0\t30\t{cpu}\n")
    return path


def made(path, size):
    path.write_bytes(b"x" * size)
    return path


@pytest.fixture
def jobs(tmp_path):
    """Two shards, one of them quick, and one method whose neighbors took the most memory."""

    def job(name, size, method, stage, *measured):
        output, spent = made(tmp_path / name, size), benchmark(tmp_path / f"{name}.tsv", *measured)
        return Job(*KEY[:2], method, stage, output, spent)

    return [
        job("1", 70, "", "encode", 8.5, 700.25, 16),
        job("2", 30, "", "encode", 0.5, 1.66, 0.0),
        job("pool", 40, "mean", "pool", 2, 150.5, 1.5),
        job("neighbors", 40, "mean", "neighbors", 3, 300, 1.5),
        job("metrics", 40, "mean", "metrics", 4, "NA", 1.5),
    ]


def test_jobs_of_a_stage_are_summed_and_their_largest_memory_kept(jobs):
    encode, pool, *_ = tabulate_costs(jobs)
    assert (encode.method, encode.jobs, encode.seconds, encode.bytes) == ("", 2, 9.0, 100)
    # The job of half a second was over before its memory and time were seen.
    assert (encode.peak_mb, encode.cpu_seconds) == (700.25, 16)
    assert encode.note == "1 of 2 jobs too short to see the memory"
    assert (pool.method, pool.seconds, pool.peak_mb, pool.bytes) == ("mean", 2, 150.5, 40)
    assert pool.note == ""


def test_an_embedding_costs_all_stages_until_it_is_measured(jobs):
    costs = method_costs(tabulate_costs(jobs))
    assert set(costs) == {KEY}
    assert (costs[KEY].seconds, costs[KEY].peak_mb, costs[KEY].bytes) == (9, 300, 40)


def test_a_missing_benchmark_is_said_and_not_counted_as_nothing(jobs, tmp_path):
    (tmp_path / "neighbors.tsv").unlink()
    costs = tabulate_costs(jobs)
    neighbors = next(cost for cost in costs if cost.stage == "neighbors")
    assert neighbors.seconds is None
    assert neighbors.note == "without a benchmark file"
    assert method_costs(costs)[KEY].seconds is None


@pytest.mark.parametrize("text", ["", HEADER, f"{HEADER}\nNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA"])
def test_an_empty_benchmark_is_none(tmp_path, text):
    (tmp_path / "job.tsv").write_text(text)
    assert read_benchmark(tmp_path / "job.tsv") is None


def test_tables_and_pages_hold_every_stage(fake_run, tmp_path):
    run = fake_run.copy(tmp_path / "run")
    key = ("tiny-vae", "plain", "mean")
    folder = run.folder / "benchmarks"
    spent = {
        "encode_samples": (("tiny-vae", "plain", "0000"), 8.5, 700.25, 16),
        "pool_latents": (key, 2, 150.5, 1.5),
        "find_neighbors": (key, 3, 300, 1.5),
        "measure_embedding": (key, 4, "NA", 1.5),
    }
    for rule, (job, *numbers) in spent.items():
        path = folder.joinpath(rule, *job).with_suffix(".tsv")
        path.parent.mkdir(parents=True)
        benchmark(path, *numbers)
    text = run.write("costs")
    table = pl.read_csv(run.report / "costs.csv")
    assert len(table) == 2 * 2 * (1 + 9 * 3 + 2)
    measured = table.filter(pl.col("seconds").is_not_null())
    assert measured["stage"].to_list() == ["encode", "pool", "neighbors", "metrics"]
    assert measured["seconds"].to_list() == [8.5, 2.0, 3.0, 4.0]
    assert measured["peak_mb"].to_list() == [700.25, 150.5, 300, None]
    assert measured["note"].to_list() == [
        "1 of 2 jobs without a benchmark file",
        *["", "", "too short to see the memory"],
    ]
    pooled = next(r for r in read_plain_json(run.report / "costs.json") if r["stage"] == "pool")
    assert pooled["bytes"] == run.results.path(EMBEDDING, *run.results.methods[0]).stat().st_size
    ((rows, *_),) = [
        [rows_of(table) for table in charts_in(text)["cost_pareto"]["spec"]["datasets"].values()]
    ]
    assert 300.0 in [row["peak_mb"] for row in rows]
    assert text.count('<tr><th scope="row">') == 1 + 9 * 3 + 2
    assert 'href="../../../costs.csv"' in text
