"""A page is one file: it is found, listed, published and written, and opens what it says."""

import re
import sys
import textwrap
from dataclasses import replace

import pytest

from latentmap.errors import LatentmapError
from latentmap.report import page as module
from latentmap.report import pages as package
from latentmap.report.page import CATEGORIES, PAGES, Page, listed_pages, pages_of, published
from latentmap.store.results import NEIGHBORS, Results

PAGE = '''
    """A page that no one knows."""

    from latentmap.report.page import Content, Page, Scope
    from latentmap.store.results import METRICS, NEIGHBORS, page_file


    class Stranger(Page):
        title = "Stranger"
        category = "Deep dive"
        file = page_file("{encoder}/{variant}/stranger.html", lambda results: results.latents)
        scope = Scope.LATENTS
        reads = (READS,)

        def build(self, results, keys):
            ((encoder, variant),) = keys
            graphs = results.paths(NEIGHBORS, encoder=encoder, variant=variant)
            yield Content("Stranger", {"count": len(graphs)})

        def charts(self, results, key):
            return {"stranger": "bars"}
'''


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """Put a page that needs the neighbors into a folder of its own, saying what it reads."""

    def make(reads, file="stranger.html"):
        folder = tmp_path / "pages"
        folder.mkdir()
        code = textwrap.dedent(PAGE).replace("READS", reads).replace("stranger.html", file)
        (folder / "stranger.py").write_text(code)
        template = '{% extends "page.html" %}{% block main %}{{ count }} graphs{% endblock %}'
        (folder / "stranger.html").write_text(template)
        monkeypatch.delitem(sys.modules, f"{package.__name__}.stranger", raising=False)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        registry = type(PAGES)(PAGES.package, Page, "page")
        monkeypatch.setattr(module, "PAGES", registry)
        return registry.create("stranger")

    return make


def test_a_page_in_a_folder_of_its_own_is_listed_published_and_written(
    fake_run, stranger, tmp_path
):
    before = [page.kind for page in listed_pages()]
    page = stranger("NEIGHBORS")
    assert set(before) == {page.kind for page in listed_pages()} - {"stranger"}
    assert set(published(fake_run.results)) >= {"dct/boxes/figures/stranger"}
    assert page.reads == (NEIGHBORS,)
    run = fake_run.copy(tmp_path / "run")
    page.write(run.results, encoder="dct", variant="plain")
    assert "9 graphs" in run.page("dct", "plain", "stranger.html").read_text()


def test_a_page_that_opens_what_it_does_not_say_that_it_reads_fails(fake_run, stranger):
    page = stranger("METRICS")
    with pytest.raises(LatentmapError, match=r"neighbors/.* is not among what this page says"):
        page.write(fake_run.results, encoder="dct", variant="plain")


def test_two_pages_that_would_be_one_file_are_refused(fake_run, stranger):
    stranger("NEIGHBORS", "deep_dive/nearest_neighbors.html")
    with pytest.raises(LatentmapError, match="'nearest_neighbors' and 'stranger' would both be "):
        pages_of(fake_run.results)


def charts_of_comparisons(fake_run, methods, is_baseline):
    """The charts that are planned for an encoder of these methods and one other encoder."""
    encoders = [
        replace(fake_run.facts.encoders[0], name="own", methods=methods),
        replace(fake_run.facts.encoders[0], name="other", is_baseline=is_baseline),
    ]
    facts = replace(fake_run.facts, encoders=tuple(encoders))
    keys = Results(fake_run.folder, facts, list).keys(PAGES["comparisons"].file, encoder="own")
    return {name for _, variant, name in keys if variant == "plain"}


def test_charts_with_nothing_to_compare_are_not_planned(fake_run):
    alone = charts_of_comparisons(fake_run, ["mean"], is_baseline=False)
    beside_a_baseline = charts_of_comparisons(fake_run, ["mean"], is_baseline=True)
    two = charts_of_comparisons(fake_run, ["mean", "max"], is_baseline=False)
    assert beside_a_baseline - alone == {"pareto_frontier", "radar_chart"}
    assert two - beside_a_baseline == {"method_agreement"}
    assert "metric_bars" in alone and beside_a_baseline > alone and two > alone


def test_options_that_a_page_does_not_name_are_refused(fake_run):
    limited = fake_run.results.limited_to([], ["report.max_points"])
    assert limited.option("report.max_points") == 5000
    with pytest.raises(LatentmapError, match="neighbors is not among the options"):
        limited.option("neighbors")


@pytest.mark.parametrize("name", PAGES.names())
def test_every_page_says_what_it_is(fake_run, name):
    page = PAGES.create(name)
    assert page.title and page.category in CATEGORIES and PAGES.description(name).endswith(".")
    names = page.file.wildcards
    assert set(page.scope.value) <= set(names)
    for key in fake_run.results.keys(page.file):
        assert page.title_of(key)


def test_every_page_and_every_published_chart_is_there(report):
    results = report.results
    pages = {results.address(p.file, *key) for p in listed_pages() for key in results.keys(p.file)}
    assert pages == set(report.report.rglob("*.html"))
    found = published(results)
    assert {"figures/overview_bars", "dct/plain/figures/mean_umap"} < set(found)
    for path, chart in found.values():
        said = path.read_text()
        charts = re.findall(r'data-chart="([\w-]+)"', said)
        assert chart in charts or "Nothing on this page is defined" in said or not charts
