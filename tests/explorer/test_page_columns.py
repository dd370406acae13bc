"""A person colours and filters by columns of any embedding, and by how two of them differ."""

import json
import re
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
