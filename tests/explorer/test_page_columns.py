"""A person colours and filters by columns of any embedding, and by how two of them differ."""

import json
import re
import shutil
from urllib.parse import unquote

import numpy as np
import pytest
from scipy import stats

pytestmark = pytest.mark.browser


def shown_count(page, rest):
    rest(page)
    return int(re.match(r"\d+", page.locator(".status [role=status]").inner_text())[0])


def options(page, picker, group):
    return page.locator(f"#{picker} optgroup[label='{group}'] option").all_text_contents()


def test_purity_here_less_that_of_another_embedding_colours_points(opened, site, sites, rest):
    page = opened(reduced_motion="reduce")
    assert options(page, "color", "Purity: here less there") == ["here − std"]
    page.locator("#color").select_option(label="here − std")
    page.wait_for_selector(".legend .scale")
    assert page.locator(".legend .ticks span").all_inner_texts() == ["−1", "0", "1"]
    row = site.lone(page)
    purity = site.known["purity"]
    difference = purity["mean"] - purity["std"]
    page.mouse.move(*site.on_screen(page, row))
    page.wait_for_selector(".card .id")
    fact = page.locator(".card .fact", has_text="Purity: mean − std").inner_text()
    told = float(fact.splitlines()[-1].split()[0].replace("−", "-"))
    assert told == pytest.approx(difference[row])
    below = stats.percentileofscore(np.delete(difference, row), difference[row], "mean")
    expected = {-1.0: "lowest of all", 1.0: "highest of all"}.get(
        difference[row], f"higher than {int(below)}"
    )
    assert expected in fact.replace("\u00a0", " ")
    page.keyboard.press("]")  # now std is here: as "std − mean" nobody asked, and none is less
    page.wait_for_selector(".legend .scale", state="detached")


def test_a_filter_takes_columns_of_any_embedding_and_stays_with_it(opened, site, rest):
    page = opened(reduced_motion="reduce")
    assert options(page, "filter", "std") == ["Purity · std"]
    page.locator("#filter").select_option(label="Purity · std")
    page.get_by_label("Purity from").fill("0.9")
    page.get_by_label("Purity from").press("Enter")
    assert shown_count(page, rest) == (site.known["purity"]["std"] >= 0.9).sum()
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    page.wait_for_selector(".stage[data-map='tiny/plain/std/umap']")
    assert shown_count(page, rest) == (site.known["purity"]["std"] >= 0.9).sum()
    page.wait_for_timeout(350)
    said = json.loads(re.search(r"filter=(\[.*?\])(&|$)", unquote(page.url).replace("+", " "))[1])
    assert said == [{"column": "7", "low": 0.9, "high": 1}]
    page.reload()
    assert shown_count(page, rest) == (site.known["purity"]["std"] >= 0.9).sum()


def test_a_filter_on_a_difference_comes_back_with_the_address(opened, site, rest):
    page = opened()
    page.locator("#filter").select_option(label="here − std")
    page.get_by_label("from").fill("0.5")
    page.get_by_label("from").press("Enter")
    purity = site.known["purity"]
    expected = (purity["mean"] - purity["std"] >= 0.5).sum()
    assert shown_count(page, rest) == expected
    page.wait_for_timeout(350)
    page.reload()
    assert shown_count(page, rest) == expected
    assert "mean − std" in page.locator(".filter legend").inner_text()


@pytest.fixture
def changed(browser, site, served, tmp_path, rest):
    """Open a copy of the site that something was done to."""
    shutil.copytree(site.folder, tmp_path / "site")
    pages = []

    def open_page(change, address=""):
        change(tmp_path / "site")
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        pages.append(page)
        page.goto(served(tmp_path / "site") + address)
        rest(page)
        return page

    yield open_page
    for page in pages:
        page.close()


def test_many_columns_are_searched(changed):
    def crowd(folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        weight = next(entry for entry in manifest["columns"] if entry["title"] == "weight")
        more = [{**weight, "id": f"own::{i}", "title": f"Feature {i} of 82"} for i in range(82)]
        manifest["columns"] += more
        (folder / "manifest.json").write_text(json.dumps(manifest))

    page = changed(crowd)
    page.get_by_label("Search: Colour by").click()
    page.keyboard.type("feature 71")
    matches = page.locator(".picker .matches button")
    assert matches.all_inner_texts() == ["Feature 71 of 82\nSamples"]
    page.keyboard.press("Enter")
    page.wait_for_selector(".legend .scale")
    assert page.locator("#color option:checked").inner_text() == "Feature 71 of 82"
    assert matches.count() == 0
    page.locator(".stage").focus()
    page.keyboard.press("Enter")
    known = page.get_by_label("Search what is known of this sample")
    known.fill("feature 5 of")
    terms = page.locator(".detail .searched dt")
    seen = [term.inner_text() for term in terms.all() if term.is_visible()]
    assert seen == ["Feature 5 of 82"]


def test_only_the_column_that_is_damaged_is_missing(changed, site):
    def damage(folder):
        path = folder / "columns/1.arrow"
        path.write_bytes(path.read_bytes()[:-7])

    page = changed(damage, '#filter=[{"column":"1","values":["train"]}]')
    page.locator(".filter .failure", has_text="columns/1.arrow is damaged").wait_for()
    assert page.locator(".status").inner_text().startswith("300 samples")
    page.get_by_label("Remove the filter on split").click()
    page.locator(".legend .value", has_text="depth").click()
    page.get_by_text("Select the").click()
    first = page.locator(".selection table").first.locator("tr").nth(1).inner_text()
    assert "depth" in first
    lost = page.locator(".selection .lost")
    assert "“split” is missing here." in lost.inner_text()
    assert "columns/1.arrow" in lost.inner_text() and "--forcerun" in lost.inner_text()
    page.keyboard.press("n")
    page.locator(".detail .lost", has_text="split").wait_for()
    facts = page.locator(".detail .facts dt").all_inner_texts()
    assert "weight" in facts and "id" in facts
    page.get_by_text("Show all").click()
    page.mouse.move(*site.on_screen(page, site.lone(page)))
    page.locator(".card .id").wait_for()
