"""The pages about channels and neighbors, opened in headless Chromium."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.browser


def load(name):
    """Import a test file of tests/report, for what it writes."""
    path = Path(__file__).parents[1] / "report" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"written_by_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(fake_run, tmp_path_factory):
    writer = load("test_channel_pages")
    run = writer.inspected(fake_run, tmp_path_factory.mktemp("deep_dive"))
    pages = writer.write_pages(run)
    values = np.random.default_rng(0).normal(size=(len(run.ids), 4)).astype(np.float32)
    load("test_neighbor_page").write(run, values)
    pages["nearest_neighbors"] = run.page(*writer.PLACE, "deep_dive", "nearest_neighbors.html")
    return pages


def test_every_page_draws_its_charts_without_complaint(pages, open_page):
    for path in pages.values():
        page = open_page(path)
        charts = page.locator(".chart")
        assert charts.count() >= 1
        for number in range(charts.count()):
            assert charts.nth(number).locator("canvas, svg.marks").count() == 1
        assert page.locator(".failed").count() == 0
        assert page.locator("p.look-for").count() >= 1
        # Every chart has marks, and those of labels a row for `constructor`, too.
        for chart in page.locator(".chart svg.marks").all():
            assert chart.locator(".role-mark path, .role-mark line").count() >= 10
    matrix = open_page(pages["channel_means_heatmap"]).locator(".chart svg")
    assert matrix.locator("text", has_text="constructor").count() == 1


def test_the_legend_filters_the_maps_of_the_channels(pages, open_page):
    page = open_page(pages["per_channel"])
    canvas = page.locator(".chart canvas")
    before = canvas.screenshot()
    page.locator("button[data-group='Depth']").click()
    assert re.match(r"\d+ of 70 samples shown", page.locator(".legend output").inner_text())
    page.wait_for_timeout(100)
    assert canvas.screenshot() != before
    assert page.locator("[data-coloring]").count() == 0


def test_a_reader_chooses_raw_values_and_kinds_of_maps(pages, open_page):
    page = open_page(pages["channel_means_heatmap"])
    numbers = page.locator(".chart svg .mark-text.role-mark")
    before = numbers.first.text_content()
    page.locator("label", has_text="raw values").click()
    page.wait_for_timeout(200)
    assert numbers.first.text_content() != before
    page = open_page(pages["per_channel"])
    canvas = page.locator(".chart canvas")
    before = canvas.screenshot()
    page.locator("label", has_text="UMAP").click()
    page.wait_for_timeout(200)
    assert canvas.screenshot() != before


def test_wrong_neighbors_are_shown_with_their_pictures(pages, open_page, hostile):
    page = open_page(pages["nearest_neighbors"])
    pictures = page.locator(".pairs img")
    assert pictures.count() >= 40
    assert pictures.first.evaluate("img => img.decode().then(() => img.naturalWidth)") == 64
    assert page.locator(".pairs strong", has_text=hostile).count() >= 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
