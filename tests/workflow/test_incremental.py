"""What changes runs again, with all that follows from it, and nothing else."""

import time

import pytest

pytestmark = pytest.mark.workflow

TABLES = {f"report/metrics_table.{suffix}" for suffix in ("csv", "json", "parquet")}
SUMMARY = "report/summary_report.html"


def matching(names: set[str], *prefixes: str) -> set[str]:
    return {name for name in names if name.startswith(prefixes)}


def expected_report(
    names: set[str], encoders=("dct", "metadata"), methods=("mean", "minmax", "flatten")
) -> set[str]:
    """The report's files that show these methods: their own pages, and all that compares."""
    own = {
        name
        for name in matching(names, "report/")
        if "/per_method/" in name
        and name.split("/")[1] in encoders
        and name.split("/")[4] in methods
    }
    comparing = {
        name
        for name in matching(names, "report/")
        if "/per_method/" not in name and name.split("/")[1] in {*encoders, "metrics_table.csv"}
    }
    return own | comparing | TABLES | {SUMMARY}


def check(project, expected: set[str]) -> None:
    """A dry run announces exactly the expected outputs, and the run makes exactly those."""
    assert project.pending() == expected
    assert project.run() == expected
    assert project.pending() == set()


def test_nothing_changed_runs_nothing_and_is_quick(project):
    start = time.perf_counter()
    printed = project.snakemake()
    assert "Nothing to be done" in printed
    assert time.perf_counter() - start < 5


def test_comments_and_touched_files_run_nothing(project):
    path = "src/latentmap/pool/methods/mean.py"
    project.edit(path, "class Mean(", "# a comment\nclass Mean(")
    (project.folder / "workflow/scripts/pool_latents.py").touch()
    assert project.pending() == set()


def test_one_pooling_method_runs_its_branch(project):
    project.edit(
        "src/latentmap/pool/methods/mean.py",
        "latents.mean(axis=(2, 3))",
        "+latents.mean(axis=(2, 3))",
    )
    names = set(project.outputs())
    branch = {
        name
        for name in matching(names, "embeddings/", "neighbors/", "metrics/", "projections/")
        if "/mean" in name
    }
    assert len(branch) == 2 * (3 + 2)
    check(project, branch | expected_report(names, ("dct",), ("mean",)))


def test_one_metric_parameter_runs_the_metrics(project):
    project.configure({"metrics": {"knn_category": {"k": 5}}})
    names = set(project.outputs())
    check(project, matching(names, "metrics/") | expected_report(names))


def test_one_projection_parameter_runs_its_maps(project):
    project.configure({"projections": {"tsne": None, "umap": {"min_dist": 0.5}}})
    names = set(project.outputs())
    maps = {name for name in names if name.endswith("/umap.parquet")}
    assert len(maps) == 4
    pages = expected_report(names) - {name for name in names if "/minmax/" in name}
    changed = project.pending()
    assert matching(changed, "projections/") == maps
    assert not matching(changed, "samples/", "latents/", "embeddings/", "neighbors/", "metrics/")
    assert SUMMARY in changed
    assert changed <= maps | pages
    assert project.run() == changed


def test_appended_samples_encode_in_new_shards_only(project):
    before = project.outputs()
    project.configure({"samples": {"sources": [{"kind": "scenes", "images": 8}], "shard_size": 16}})
    announced = project.pending()
    project.snakemake()
    after = project.outputs()
    made = {name for name, time in after.items() if before.get(name) != time}
    assert made == announced
    per_shard = ("samples/0", "samples/quarantine/", "thumbnails/", "latents/")
    new = {name for name in after if name not in before}
    assert matching(made, *per_shard) == matching(new, *per_shard)
    assert len(matching(new, "latents/dct/boxes/")) == 1
    assert matching(made, "embeddings/") == matching(set(before), "embeddings/")


def test_colours_change_the_report_only(project):
    project.configure({"label_groups": {"Size": {"color": "#123456"}}})
    changed = project.pending()
    assert SUMMARY in changed
    assert changed == matching(changed, "report/")


def test_label_groups_do_not_encode_again(project):
    project.configure({"label_groups": {"Size": {"labels": ["big_predicate"]}}})
    changed = project.pending()
    assert matching(changed, "samples/0")
    assert not matching(changed, "latents/", "thumbnails/", "embeddings/")
