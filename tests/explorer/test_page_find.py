"""A person looks for odd samples and for leaks, and makes a column of what was found."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import rankdata

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted

pytestmark = pytest.mark.browser

COUNT = 240
TWINS = 10, 100
"""Nearly the same, in different source groups."""

RULES = {
    "density": -1,
    "centroid_distance": 1,
    "prototype_distance": 1,
    "prototype_margin": -1,
    "neighbor_disagreement": 1,
}
"""Which values of each are odd: great ones (1) or small ones."""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    latents = np.random.default_rng(4).normal(size=(COUNT, 6, 3, 3)).astype(np.float32)
    latents[TWINS[1]] = latents[TWINS[0]] + 1e-3
    folder = tmp_path_factory.mktemp("runs") / "find"
    return Planted(folder, count=COUNT, methods=("mean",), latents=latents, dims={"umap": 2})


@pytest.fixture(scope="module")
def viewed(planted, explored):
    return explored(planted)


@pytest.fixture
def shown(browser, viewed, rest):
    contexts = []

    def show(address=""):
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.goto(viewed + address)
        rest(page)
        return page

    yield show
    for context in contexts:
        context.close()


def column(planted, role):
    folder = planted.folder / "explorer"
    manifest = json.loads((folder / "manifest.json").read_text())
    of = "tower/plain/mean/umap" if role == "trust" else "tower/plain/mean"
    entry = next(c for c in manifest["columns"] if c["id"] == f"{role}::{of}")
    return pa.ipc.open_file(folder / entry["file"]).read_all()["value"].to_numpy()


def selected(page, count):
    page.locator(".status", has_text=f"{count} of {COUNT} selected").wait_for()
    with page.expect_download() as download:
        page.get_by_text("Export JSON").click()
    ids = json.loads(download.value.path().read_text())["ids"]
    return {int(name.removeprefix("sample-")) for name in ids}


def flags_of(planted, rules, share, labels=None):
    groups = np.zeros(COUNT, int) if labels is None else labels
    flags = np.zeros(COUNT, int)
    for role, sign in rules.items():
        values = sign * column(planted, role)
        for group in np.unique(groups):
            members = groups == group
            rank = rankdata(values[members])
            flags[members] += rank > len(rank) - share * (len(rank) - 1)
    return flags


def rings(page):
    """Return how many pixels have the colour of rings."""
    return page.evaluate("""() => {
        const canvas = [...document.querySelectorAll('.stage canvas')].at(-1);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let found = 0;
        for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] > 200 && data[i] > 150 && data[i + 2] < 60) found++;
        }
        return found;
    }""")


def test_rare_mislabelled_and_misplaced_samples_are_one_press_away(shown, planted):
    page = shown()
    density = column(planted, "density")
    rare = set(np.flatnonzero(rankdata(density) - 1 < 0.01 * (COUNT - 1)))
    lonely = set(np.flatnonzero(column(planted, "purity") == 0))
    misplaced = set(np.flatnonzero(column(planted, "trust") < 0.8))
    for title, rows in (
        ("Sparsest 1 %", rare),
        ("No neighbor has its label", lonely),
        ("Neighbors not kept by this map", misplaced),
    ):
        assert 0 < len(rows) < COUNT
        page.get_by_text(title).click()
        assert selected(page, len(rows)) == rows
        assert page.locator(".find li", has_text=title).locator(".number").inner_text() == str(
            len(rows)
        )


def test_outliers_have_a_ring_for_each_rule_that_flags_them(shown, planted):
    page = shown()
    assert rings(page) == 0
    page.get_by_text("Outliers by several rules").click()
    lines = page.locator(".outliers li .number")
    lines.first.wait_for()
    flags = flags_of(planted, RULES, 0.05)
    wanted = [str((flags >= least).sum()) for least in (1, 2, 3, 4, 5)]
    assert lines.all_inner_texts() == wanted
    assert int(wanted[1]) > 0
    with_all = rings(page)
    page.get_by_text("2 rules or more").click()
    assert selected(page, wanted[1]) == set(np.flatnonzero(flags >= 2))
    # Each ring is a circle: of more rules there are more of them.
    page.get_by_label("rare", exact=True).uncheck()
    page.get_by_label("nearer to another label").uncheck()
    page.locator(".outliers li").nth(3).wait_for(state="detached")
    fewer = {role: RULES[role] for role in RULES if role not in ("density", "prototype_margin")}
    flags = flags_of(planted, fewer, 0.05)
    assert lines.all_inner_texts() == [str((flags >= least).sum()) for least in (1, 2, 3)]
    assert 0 < rings(page) < with_all
    assert "of all samples" in page.locator(".outliers .note").inner_text()
    page.locator("#among").select_option("of each label")
    page.locator(".outliers .note", has_text="of the samples of each label").wait_for()
    flags = flags_of(planted, fewer, 0.05, np.array(planted.labels))
    within = [str((flags >= least).sum()) for least in (1, 2, 3)]
    assert lines.all_inner_texts() == within
    page.wait_for_timeout(400)
    again = shown(page.url.partition("/explorer/")[2])
    assert again.locator(".outliers li .number").all_inner_texts() == within
    page.locator("#among").select_option("of all samples")
    page.locator("#odd").press("Home")
    page.locator(".outliers output", has_text="0.1").wait_for()
    flags = flags_of(planted, fewer, 0.001)
    assert lines.all_inner_texts() == [str((flags >= least).sum()) for least in (1, 2, 3)]
    page.wait_for_timeout(400)
    again = shown(page.url.partition("/explorer/")[2])  # all of it is in the address
    assert again.locator(".outliers li .number").all_inner_texts() == lines.all_inner_texts()
    assert not again.get_by_label("rare", exact=True).is_checked()
    page.get_by_text("Outliers by several rules").click()
    page.wait_for_timeout(200)
    assert rings(page) == 0


def test_near_duplicates_of_different_sources_are_shown_as_pairs(shown, planted):
    page = shown()
    page.get_by_text("Near-duplicates across sources").click()
    pairs = page.locator(".leak")
    pairs.first.wait_for()
    assert pairs.count() == 1
    rows = {int(tile.get_attribute("data-row")) for tile in pairs.locator(".tile").all()}
    assert rows == set(TWINS)
    assert float(pairs.locator(".number").inner_text()) == pytest.approx(1e-3 * 6**0.5, rel=0.02)
    page.locator(".pairs").get_by_text("suspects", exact=True).click()
    assert selected(page, 2) == set(TWINS)
    page.locator("#near").press("End")
    far = column(planted, "nearest_other")
    half = page.locator(".pairs .value .number")
    page.locator(".pairs .note", has_text="100").wait_for()
    assert int(half.inner_text()) == pytest.approx((far <= np.median(far)).sum(), abs=1)


def test_a_selection_becomes_a_column(shown, planted):
    name = '<b>odd</b> "ones"'
    page = shown()
    page.get_by_text("Near-duplicates across sources").click()
    page.locator(".pairs").get_by_text("suspects", exact=True).click()
    page.get_by_label("Name of the column").fill(name)
    page.get_by_role("button", name="Make a column").click()
    page.locator(".legend .name", has_text="yes").wait_for()
    assert page.locator("#color option:checked").inner_text() == name
    assert page.locator(".legend .number").all_inner_texts() == [str(COUNT - 2), "2"]
    page.keyboard.press("Escape")
    page.locator("#filter").select_option(label=name)
    page.get_by_label(f"Value of {name} to let through").fill("yes")
    page.get_by_label(f"Value of {name} to let through").press("Enter")
    page.locator(".status", has_text=f"2 of {COUNT} shown").wait_for()
    with page.expect_download() as download:
        page.get_by_text("Export as CSV").click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert lines == [{"id": f"sample-{row:06}", name: "yes"} for row in TWINS]
    page.wait_for_timeout(400)
    # Whoever gets the address has it too, and so has this browser without the address.
    other = shown(page.url.partition("/explorer/")[2])
    other.locator(".status", has_text=f"2 of {COUNT} shown").wait_for()
    assert other.locator("#color option:checked").inner_text() == name
    page.goto("about:blank")
    page.goto(other.url.partition("#")[0])
    page.locator(".made .value").click()
    assert selected(page, 2) == set(TWINS)
    page.get_by_label(f"Remove the column {name}").click()
    page.locator("#color option", has_text=name).wait_for(state="detached")
    assert page.locator(".made").is_hidden()
