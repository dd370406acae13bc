"""Maps of samples without labels, opened in headless Chromium."""

import importlib.util
from pathlib import Path

import pytest

from latentmap.report.assets import write_page_files
from latentmap.report.publish import write_figure

pytestmark = pytest.mark.browser

KEY = ("tiny-vae", "plain", "mean")


@pytest.fixture(scope="module")
def written():
    path = Path(__file__).parents[1] / "report" / "test_neighbor_page.py"
    spec = importlib.util.spec_from_file_location("written_by_test_neighbor_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(fake_run, written, folder, rows, **options):
    """Write the map of one method, where some rows have no label and no text."""
    run = fake_run.copy(folder / "-".join(["run", str(len(rows)), *options]), **options)
    written.without_labels(run, rows, "text")
    write_page_files(run.results)
    run.write("method_maps", *KEY, "umap")
    return run.page(*KEY[:2], "per_method", KEY[2], "umap.html")


def test_a_map_without_labels_is_coloured_by_a_column(fake_run, written, tmp_path, open_page):
    page = open_page(write(fake_run, written, tmp_path, range(70)))
    assert page.locator("[data-group]").count() == 0
    assert page.locator(".cards").count() == 0
    select = page.get_by_label("Colour by")
    options = select.locator(":scope > option").all_inner_texts()
    assert options == ["trust", "judged", "score", "annotation.title"]
    assert select.locator("option:checked").inner_text() == "judged"
    values = page.get_by_role("group", name="judged; click").locator("button")
    assert values.first.is_visible()
    canvas = page.locator(".chart canvas")
    before = canvas.screenshot()
    values.filter(has_text="wrong").click()
    said = page.locator(".legend output")
    assert said.inner_text().startswith("11 of 70")
    page.wait_for_timeout(100)
    assert canvas.screenshot() != before
    page.locator("button[data-all]").click()
    assert said.inner_text() == "70 of 70 samples shown"
    assert page.evaluate("document.activeElement.matches('[data-coloring]')")


def test_a_map_without_labels_and_columns_is_coloured_by_trust(
    fake_run, written, tmp_path, open_page
):
    page = open_page(write(fake_run, written, tmp_path, range(70), annotations=[]))
    assert page.get_by_label("Colour by").input_value() == "trust"
    assert page.locator("span[data-scale=trust]").is_visible()


def test_samples_without_a_label_have_a_place_in_the_legend(fake_run, written, tmp_path, open_page):
    page = open_page(write(fake_run, written, tmp_path, range(0, 70, 7)))
    button = page.get_by_role("button", name="no label 10")
    button.click()
    assert page.locator(".legend output").inner_text() == "10 of 70 samples shown"
    canvas = page.locator(".chart canvas")
    box = canvas.bounding_box()
    tooltip = page.locator("#vg-tooltip-element.visible")
    found = None
    for y in range(0, int(box["height"]), 6):
        for x in range(0, int(box["width"]), 6):
            page.mouse.move(box["x"] + x, box["y"] + y)
            if tooltip.count():
                found = found or tooltip.inner_text()
        if found:
            break
    assert "sample_0" in found and "label\t" not in found and "group\t" not in found
    assert "text\t" not in found


def test_in_print_a_map_has_the_colours_that_the_page_begins_with(fake_run, written, tmp_path):
    files = {suffix: tmp_path / f"map.{suffix}" for suffix in ("svg", "png", "pdf", "csv")}
    write_figure(write(fake_run, written, tmp_path, range(70)), "map", **files)
    svg = files["svg"].read_text()
    for value, color in (("right", "#E69F00"), ("wrong", "#56B4E9"), ("no value", "#FFFFFF")):
        assert f">{value}</text>" in svg and svg.count(f'fill="{color}"') > 5
    write_figure(write(fake_run, written, tmp_path, range(0, 70, 7)), "map", **files)
    svg = files["svg"].read_text()
    assert ">no label</text>" in svg and ">Depth</text>" in svg
    write_figure(write(fake_run, written, tmp_path, range(70), annotations=[]), "map", **files)
    svg = files["svg"].read_text()
    assert ">no label</text>" not in svg and svg.count('fill="#FDE725"') > 30
