"""A person asks why two samples are neighbors: the page adds up what their latents say."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from latentmap.explorer.serve import address, make_server
from latentmap.pool.method import METHODS

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted

pytestmark = pytest.mark.browser

SHAPE = (3, 4, 5)
COUNT = 48
METHODS_SHOWN = tuple(name for name in METHODS if METHODS[name].obstacle(SHAPE) is None)
PLANTED = 20, 21
"""Rows that differ in one channel at one position, and nowhere else."""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A run with latents and neighbors in every embedding."""
    latents = np.random.default_rng(3).normal(size=(COUNT, *SHAPE)).astype(np.float16)
    latents[PLANTED[1]] = latents[PLANTED[0]]
    latents[PLANTED[1], 1, 2, 3] += 1.5
    planted = Planted(
        tmp_path_factory.mktemp("runs") / "why",
        count=COUNT,
        methods=METHODS_SHOWN,
        latents=latents,
        dims={"umap": 2},
        pictures=True,
        boxed=True,
    )
    planted.options = {"neighbors": len(METHODS_SHOWN) + 1}
    return planted


@pytest.fixture(scope="module")
def viewed(planted, explored):
    return explored(planted)


@pytest.fixture
def run(planted, viewed):
    """The folder of the run."""
    return planted.folder


@pytest.fixture
def shown(browser, rest):
    """Open a page, with a sample in one embedding."""
    pages = []

    def show(url, method, row):
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        pages.append(page)
        page.goto(f"{url}#map=tower/plain/{method}/umap")
        rest(page)
        page.keyboard.press("/")
        page.keyboard.type(f"sample-{row:06}")
        page.keyboard.press("Enter")
        page.locator(".status", has_text="1 of").wait_for()
        page.get_by_text("Select the 1 shown").click()
        page.locator(".selection .tile").click()
        page.wait_for_selector(f".detail[data-row='{row}']")
        return page

    yield show
    for page in pages:
        page.close()


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


def sums(page):
    """Return distance, its square as the page says it, and the shares of all channels."""
    page.locator(".why .bars li").first.wait_for()
    more = page.locator(".why .answer .link")
    if more.count() and more.is_visible():
        more.click()
    distance = number(page.locator("#why option:checked").inner_text().rpartition("distance ")[2])
    squared = number(re.search(r"² = (\S+) is", page.locator(".why .note").first.inner_text())[1])
    shares = [
        number(text.strip(" %\u00a0"))
        for text in page.locator(".why .bars .number").all_inner_texts()
    ]
    return distance, squared, shares


@pytest.mark.slow
def test_channels_of_every_method_add_up_to_the_squared_distance(viewed, shown):
    page = shown(viewed, METHODS_SHOWN[0], 5)
    answered = 0
    for method in METHODS_SHOWN:
        page.locator("#method").select_option(f"tower/plain/{method}")
        page.wait_for_selector(f".stage[data-map='tower/plain/{method}/umap']")
        if METHODS[method].account() is None:
            page.locator(".why .note", has_text=f"Distances of ‘{method}’ are not sums").wait_for()
            assert page.locator("#why").is_hidden()
            continue
        page.locator("#why").select_option("")
        page.locator("#why").select_option(index=3)
        page.get_by_role("button", name="What differs").click()
        distance, squared, shares = sums(page)
        assert squared == pytest.approx(distance**2, rel=0.02), method
        told = page.locator(".why .note", has_text="is where the boxes lie")
        assert (told.count() == 1) == METHODS[method].needs_regions
        boxes = number(re.search(r"Of all, (\S+)\s%", told.inner_text())[1]) if told.count() else 0
        assert sum(shares) + boxes == pytest.approx(100, abs=2), method
        answered += 1
    assert answered == sum(METHODS[method].account() is not None for method in METHODS_SHOWN) > 12


def heat(page):
    """Return how strong the heat over the first picture is, (H, W), and whether it is orange."""
    values = page.locator(".why canvas").first.evaluate("""one => [...one.getContext('2d')
        .getImageData(0, 0, one.width, one.height).data]""")
    pixels = np.array(values).reshape(*SHAPE[1:], 4)
    return pixels[..., 3], pixels[..., 0] > pixels[..., 2]


def test_the_one_place_where_two_samples_differ_is_found_over_both_pictures(viewed, shown):
    page = shown(viewed, "mean", PLANTED[0])
    assert page.locator("#why option").nth(1).inner_text().startswith("1: ")
    page.locator("#why").select_option(index=1)
    page.get_by_role("button", name="What differs").click()
    page.locator(".why .note", has_text="Orange adds").wait_for()
    assert page.locator(f".detail .tile[data-row='{PLANTED[1]}']").count() == 1
    _, squared, shares = sums(page)
    assert shares == [100, 0, 0]
    assert squared == pytest.approx((1.5 / 20) ** 2, rel=0.01)
    assert page.locator(".why .bars button").first.inner_text().startswith("channel 1")
    assert page.locator(".why .heated img").count() == 2
    strength, orange = heat(page)
    assert [*zip(*np.nonzero(strength > 100), strict=True)] == [(2, 3)] and orange[2, 3]
    assert page.locator(".why .note").nth(1).inner_text().startswith("Most: row 3, column 4 adds")
    page.locator(".why canvas").last.hover(position={"x": 2, "y": 2})
    assert "Row 1, column 1 adds 0" in page.locator(".why .note").nth(1).inner_text()
    page.locator(".why .bars button").nth(1).click()  # a channel in which they are the same
    page.locator(".why .bars button[aria-pressed=true]").wait_for()
    assert heat(page)[0].max() == 0


def test_what_makes_them_near_is_less_than_chance_and_adds_up(viewed, shown):
    page = shown(viewed, "mean", PLANTED[0])
    asked, tile = (
        page.locator(name).bounding_box() for name in ("#why", ".nearest .tile >> nth=0")
    )
    assert asked["y"] < tile["y"]  # what is asked of neighbors is seen with them
    page.locator("#why").select_option(index=1)
    said = page.locator(".why .note", has_text="from all over the run")
    said.wait_for()
    assert page.locator(".why [aria-pressed=true]").first.inner_text() == "Why so near"
    mean, own, less = (
        number(text.rstrip(".:,"))
        for text in re.findall(
            r"distance is (\S+) to this one (\S+) What makes it less by (\S+) ", said.inner_text()
        )[0]
    )
    rng = np.random.default_rng(3)
    means = rng.normal(size=(COUNT, *SHAPE)).astype(np.float16).astype(float).mean(axis=(2, 3))
    rows = [int((i + 0.5) * COUNT / 32) for i in range(32)]
    rows = [row for row in rows if row not in PLANTED]
    wanted = ((means[rows] - means[PLANTED[0]]) ** 2).sum(axis=1).mean()
    assert mean == pytest.approx(wanted, rel=0.01)
    assert less == pytest.approx(mean - own, rel=0.02)
    page.wait_for_timeout(400)
    assert "why=" in page.url
    page.reload()  # what is asked is in the address
    page.locator(".why .note", has_text="from all over the run").wait_for()


def test_a_server_of_whole_files_and_latents_that_are_gone_are_told(served, shown, run):
    page = shown(f"{served(run)}explorer/", "mean", 5)
    page.locator("#why").select_option(index=1)
    page.locator(".why .failure").wait_for()
    assert "latentmap view" in page.locator(".why .failure").inner_text()
    assert page.locator(".notice").is_hidden()


def test_latents_of_another_run_and_latents_that_are_gone_are_told(shown, run, tmp_path):
    shutil.copytree(run, tmp_path / "why")
    (latents,) = (tmp_path / "why" / "latents" / "tower").rglob("*.arrow")
    with make_server(tmp_path / "why") as server:
        Thread(target=server.serve_forever, daemon=True).start()
        where = json.loads((run / "explorer" / "manifest.json").read_text())["latents"][0]
        content = bytearray(latents.read_bytes())
        size = 2 * int(np.prod(SHAPE))
        start = where["offsets"][0] + 5 * size
        content[start : start + size] = np.full(SHAPE, 9, np.float16).tobytes()
        latents.write_bytes(content)
        page = shown(address(server), "mean", 5)
        page.locator("#why").select_option(index=1)
        failure = page.locator(".why .failure")
        failure.wait_for()
        assert "are not those of this embedding" in failure.inner_text()
        assert "latentmap run --configfile CONFIG.yaml -- explore" in failure.inner_text()
        latents.unlink()
        page.wait_for_url("**why=**")
        page.reload()
        failure.get_by_text("The server answered 404").wait_for()
        server.shutdown()


def test_vectors_and_pages_in_one_file_have_no_account(viewed, shown, run):
    page = shown(viewed, "mean", 5)
    page.locator("#method").select_option("dct/plain/mean")
    page.locator(".why .note", has_text="dct gives vectors, not feature maps").wait_for()
    page = shown((run / "explorer" / "explorer.html").as_uri(), "mean", 5)
    assert "latentmap view results/why" in page.locator(".why .note").inner_text()
