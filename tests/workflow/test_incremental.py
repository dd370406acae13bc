"""What changes runs again, with all that follows from it, and nothing else."""

import resource

import pytest
from PIL import Image

from latentmap.store.tables import read_parquet

pytestmark = pytest.mark.workflow

SUMMARY = "report/summary_report.html"
STAGES = ("samples/", "latents/", "embeddings/", "neighbors/", "metrics/", "projections/")


def matching(names: set[str], *prefixes: str) -> set[str]:
    return {name for name in names if name.startswith(prefixes)}


def learning(names: set[str]) -> set[str]:
    """What the best method is on parts of the samples."""
    return {name for name in names if name.endswith("/learning.json")}


def outliers(names: set[str]) -> set[str]:
    """Scores of samples unlike others of their label."""
    return {name for name in names if name.endswith(".outliers.parquet")}


def own_maps(names: set[str]) -> set[str]:
    """The pages of maps, which one job writes."""
    return {name for name in matching(names, "report/") if "/per_method/" in name} - {
        name for name in names if name.endswith("metrics.json")
    }


def agreements(names: set[str], *folders: str) -> set[str]:
    """What compares the methods of one encoder and variant."""
    return {name for name in matching(names, *folders) if name.endswith("/agreement.json")}


def check(project, branch: set[str]) -> None:
    """A dry run announces just this branch and the report, and the run makes what it announced."""
    announced = project.pending()
    report = matching(announced, "report/")
    assert announced - report == branch
    assert SUMMARY in report
    assert own_maps(report) == own_maps(set(project.outputs()))
    assert "report/assets/vega.js" not in report
    assert project.run() == announced
    assert project.pending() == set()


def cpu_seconds() -> float:
    """Time that finished child processes have used: what wall time is on an idle machine."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_nothing_changed_runs_nothing_and_is_quick(project):
    before = cpu_seconds()
    printed = project.snakemake()
    assert "Nothing to be done" in printed
    assert cpu_seconds() - before < 5


def test_comments_and_touched_files_run_nothing(project):
    path = "src/latentmap/pool/methods/mean.py"
    project.edit(path, "class Mean(", "# a comment\nclass Mean(")
    (project.folder / "workflow/scripts/pool_latents.py").touch()
    assert project.pending() == set()


def test_a_manifest_that_is_lost_is_written_again(project):
    (project.results / "samples/manifest.json").unlink()
    announced = project.pending()
    assert announced == {"samples/manifest.json", "samples/quarantine.parquet", SUMMARY}
    assert project.run() == announced


def test_one_pooling_method_runs_its_branch(project):
    project.edit(
        "src/latentmap/pool/methods/mean.py", "statistics = (mean,)", "statistics = (mean,) * 1"
    )
    names = set(project.outputs())
    branch = {
        name
        for name in matching(names, "embeddings/", "neighbors/", "metrics/", "projections/")
        if "/mean" in name
    }
    # Its embedding, neighbors, metrics, scores, weights, outliers, and two maps with their trust.
    assert len(branch) == 2 * (6 + 2 * 2)
    branch |= {"metrics/ranking.json", *matching(learning(names), "metrics/dct/")}
    branch |= agreements(names, "metrics/dct/", "projections/dct/")
    check(project, branch)


def test_one_metric_parameter_runs_the_metrics(project):
    project.configure({"metrics": {"knn_category": {"k": 5}}})
    names = set(project.outputs())
    made = matching(names, "metrics/") - agreements(names, "metrics/") - outliers(names)
    check(project, made)


def test_a_target_is_measured_of_what_is_there_and_its_change_runs_targets_alone(project):
    project.configure({"targets": ["nearer"]})
    announced = project.pending()
    assert "targets/what_is_kept.parquet" in announced
    assert not matching(announced, *STAGES)
    assert project.run() == announced
    assert project.pending() == set()
    project.configure({"targets": [{"column": "nearer", "family": "depth"}]})
    changed = project.pending()
    assert changed - matching(changed, "report/") == matching(set(project.outputs()), "targets/")
    assert {SUMMARY, "report/comparisons/what_is_kept.html"} < changed


def test_one_option_of_outliers_scores_samples_and_measures_nothing(project):
    project.configure({"outliers": {"prototypes": 2}})
    announced = project.pending()
    scores = outliers(set(project.outputs()))
    assert len(scores) == 4
    assert matching(announced, *STAGES) == scores
    assert own_maps(announced) == own_maps(set(project.outputs()))


def test_pictures_of_another_size_are_written_and_no_page_but_the_summary(project):
    project.configure({"report": {"pictures": 32}})
    announced = {name for name in project.pending() if not name.startswith("explorer/")}
    # The summary shows the configuration.
    assert announced == {"report/assets/pictures", "report/assets/pictures.js", SUMMARY}


def test_another_metric_of_neighbors_runs_all_that_is_made_of_embeddings(project):
    project.configure({"neighbors": {"metric": "cosine"}})
    announced = project.pending()
    parts = {name.split("/")[0] for name in announced}
    assert parts == {"neighbors", "metrics", "projections", "inspection", "report"}
    names = set(project.outputs())
    made = matching(names, "neighbors/", "metrics/", "projections/", "inspection/")
    assert matching(announced, "neighbors/", "metrics/", "projections/", "inspection/") == made


def test_another_headline_ranks_anew_and_measures_no_embedding(project):
    project.configure({"headline": "knn_group_acc"})
    announced = project.pending()
    ranked = {"metrics/ranking.json", *learning(set(project.outputs()))}
    assert announced - matching(announced, "report/") == ranked
    assert SUMMARY in announced
    assert not {name for name in announced if name.endswith(("maps.html", "metrics.json"))}


def test_one_projection_parameter_runs_its_maps(project):
    project.configure({"projections": {"tsne": None, "umap": {"min_dist": 0.5}}})
    names = set(project.outputs())
    maps = {name for name in names if name.endswith("/umap.parquet")}
    trust = {name for name in names if name.endswith(".trust.parquet")}
    assert (len(maps), len(trust)) == (4, 8)
    check(project, maps | trust | agreements(names, "projections/"))


def test_one_chart_runs_the_pages_that_compare_methods(project):
    path = "src/latentmap/report/charts/category_heatmap.py"
    project.edit(path, "    title = ", "    edited = True\n    title = ")
    names = set(project.outputs())
    announced = project.pending()
    pages = {
        name for name in names if "/comparisons/" in name and not name.endswith("cost_pareto.html")
    }
    assert len(pages) > 4 and announced == pages | {SUMMARY}
    assert project.run() == announced


PAGE = '''
"""The number of samples."""

from operator import attrgetter

from latentmap.report.page import Content, Page, Scope
from latentmap.store.results import NEWCOMER, Artifact, page_file


class HowMany(Page):
    title = "How many"
    category = "Deep dive"
    file = page_file("{encoder}/{variant}/how_many.html", attrgetter("latents"))
    scope = Scope.LATENTS
    reads = (NEWCOMER,)

    def build(self, results, keys):
        yield Content("How many", {"count": len(results.read(NEWCOMER))})
'''


def test_a_new_page_of_a_new_kind_of_file_computes_nothing(project):
    """One file and its template: its job appears, and the summary that links to it."""
    folder = project.folder / "src/latentmap"
    book = folder / "store/results.py"
    book.write_text(
        f'{book.read_text()}\nNEWCOMER = Artifact("samples/manifest.json", _RUN, read_json)\n'
    )
    made = {name for name in project.pending() if not name.startswith("report/")}
    assert made == set()
    project.snakemake()
    (folder / "report/pages/how_many.py").write_text(PAGE)
    (folder / "report/pages/how_many.html").write_text(
        '{% extends "page.html" %}{% block main %}{{ count }} of them{% endblock %}'
    )
    keys = [(encoder, variant) for encoder in ("dct", "metadata") for variant in ("plain", "boxes")]
    pages = {f"report/{encoder}/{variant}/how_many.html" for encoder, variant in keys}
    announced = project.pending()
    assert announced == pages | {SUMMARY}
    assert project.run() == announced
    assert "1 of them" in (project.results / "report/dct/plain/how_many.html").read_text()
    assert 'href="dct/plain/how_many.html">How many</a>' in (project.results / SUMMARY).read_text()


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
    labels = ["big_predicate", "small_predicate"]
    project.configure({"label_groups": {"Size": {"labels": labels, "color": "#123456"}}})
    changed = project.pending()
    assert SUMMARY in changed
    assert changed == matching(changed, "report/")


def test_label_groups_do_not_encode_again(project):
    project.configure({"label_groups": {"Size": {"labels": ["big_predicate"]}}})
    changed = project.pending()
    assert matching(changed, "samples/0")
    assert not matching(changed, "latents/", "thumbnails/", "embeddings/")


def test_other_label_groups_hide_no_other_change(project):
    """Samples are made anew for their groups alone; what is drawn on them is drawn all the same."""
    labels = {"Size": {"labels": ["big_predicate"]}}
    project.configure({"label_groups": labels, "draw": {"line_width": 0.05}})
    names = set(project.outputs())
    drawn = {n for n in matching(names, "latents/", "embeddings/") if "/boxes/" in n}
    assert drawn | matching(names, "samples/0", "thumbnails/") <= project.pending()


def test_an_edited_reader_makes_all_anew_in_one_run(project):
    """What is encoded and drawn is made of the samples that the edit gives, not of those before."""
    names = set(project.outputs())
    project.edit(
        "src/latentmap/samples/sources/scenes.py", "class Scenes(", "EDITED = 1\n\n\nclass Scenes("
    )
    made = matching(names, "samples/0", "thumbnails/", "latents/", "embeddings/", "projections/")
    assert made <= project.pending()


def test_digests_are_remembered_of_files_beside_a_source_that_is_downloaded(unfinished):
    labels = unfinished.folder / "images" / "labels.csv"
    labels.parent.mkdir()
    Image.new("RGB", (16, 16)).save(labels.with_name("a.png"))
    labels.write_text("file_name,label,text\na.png,a,some words\n")
    folder = {"kind": "folder", "input": "images", "labels": "labels.csv"}
    docstrings = {"kind": "docstrings", "packages": ["tqdm"], "per_package": 2}
    sources = [docstrings, {**folder, "columns": {"text": "text"}}]
    unfinished.configure({"samples": {"sources": sources}, "encoders": [{"kind": "tfidf"}]})
    unfinished.snakemake("samples")
    memory = unfinished.folder / ".snakemake/latentmap/small.parquet"
    paths = read_parquet(memory, ["path"])["path"].to_pylist()
    assert str(labels.with_name("a.png")) in paths
