"""A person looks at several maps at once, which show the same samples from the same side."""

import json
import re
from io import BytesIO
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

INK = (31, 35, 40)
"""Of the ring around what is pointed at, in a light page."""


def shows(page, *maps):
    """Wait until these maps lie beside one another, in this order."""
    ids = " ".join(f"tiny/plain/{one}" for one in maps)
    page.wait_for_selector(f".stage[data-maps='{ids}']")


def places_in(page, site, frame, method, rows):
    """Return where rows lie on the page, on the map in one of several frames."""
    entry = next(
        entry
        for entry in site.known["manifest"]["maps"]
        if entry["id"] == f"tiny/plain/{method}/umap"
    )
    low, high = np.array(entry["extent"]).T
    box = page.locator(".frame").nth(frame).bounding_box()
    unit = min(box["width"], box["height"]) / (high - low).max() / 1.06
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    return middle + (site.known["places"][method, "umap"][rows] - (low + high) / 2) * [unit, -unit]


def lone_in(page, site, frame, method):
    """Return the row that is farthest from all others on a map, and where it lies."""
    places = places_in(page, site, frame, method, range(300))
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    row = int(apart.min(axis=1).argmax())
    return row, places[row]


def ringed(page, place):
    """Whether there is ink on a ring of 7 pixels around a place of the page."""
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    around = np.round(place + 7 * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(int)
    dark = [max(np.abs(np.subtract(shot.getpixel((int(x), int(y))), INK))) < 90 for x, y in around]
    return np.mean(dark) > 0.7


def address(page):
    page.wait_for_timeout(350)
    return dict(part.split("=", 1) for part in unquote(page.url.split("#")[1]).split("&"))


@pytest.fixture
def two(opened, rest):
    """The map of `mean`, and that of `std` beside it."""
    page = opened(reduced_motion="reduce")
    page.keyboard.press("s")
    shows(page, "mean/umap", "std/umap")
    rest(page)
    return page


def test_what_is_pointed_at_is_ringed_on_every_map(two, site, sites):
    row, place = lone_in(two, site, 1, "std")
    other = places_in(two, site, 0, "mean", row)
    two.mouse.move(300, 790)
    assert not ringed(two, other)
    two.mouse.move(*place)
    two.wait_for_selector(".card .id")
    assert two.locator(".card .id").inner_text() == sites.name(row)
    assert ringed(two, other)


def test_a_lasso_on_one_map_selects_on_all(two, site):
    two.keyboard.press("r")
    places = places_in(two, site, 1, "std", range(300))
    low, high = places.mean(axis=0) - 10, places.max(axis=0) + 5
    two.mouse.move(*low)
    two.mouse.down()
    two.mouse.move(*high, steps=5)
    two.mouse.up()
    expected = int(((places > low) & (places < high)).all(axis=1).sum())
    assert 20 < expected < 150
    two.wait_for_selector(".selection h2")
    assert two.locator(".selection h2").first.inner_text().split()[0] == str(expected)


def test_all_maps_are_seen_from_the_same_side(two, site, sites, rest):
    _, start = lone_in(two, site, 0, "mean")
    row, place = lone_in(two, site, 1, "std")
    two.mouse.move(*start)
    two.mouse.down()
    two.mouse.move(*np.add(start, (40, 30)), steps=4)
    two.mouse.up()
    rest(two)
    two.mouse.move(*np.add(place, (40, 30)))
    two.wait_for_selector(".card .id")
    assert two.locator(".card .id").inner_text() == sites.name(row)
    two.mouse.wheel(0, -240)  # what lies under the pointer stays there
    rest(two)
    two.mouse.move(*np.add(place, (41, 30)))
    two.wait_for_selector(".card .id")
    assert two.locator(".card .id").inner_text() == sites.name(row)
    two.keyboard.press("3")
    shows(two, "mean/umap3d", "std/umap3d")
    rest(two)
    two.mouse.move(500, 500)
    two.mouse.down()
    two.mouse.move(600, 500, steps=4)
    two.mouse.up()
    assert json.loads(address(two)["camera"])[5] == pytest.approx(0.6 - 0.8, abs=1e-3)


def test_neighbors_that_a_filter_hides_are_ringed_all_the_same(two, site, rest):
    _, place = lone_in(two, site, 0, "mean")
    two.mouse.click(*place)
    two.wait_for_selector(".detail .tile")
    near = [int(tile.get_attribute("data-row")) for tile in two.locator(".detail .tile").all()]
    two.locator("#filter").select_option(label="weight")
    two.get_by_label("weight from").fill("99")
    two.get_by_label("weight from").press("Enter")
    two.wait_for_timeout(300)
    rest(two)
    assert two.locator(".status [role=status]").inner_text().startswith("0 of 300")
    shot = np.asarray(Image.open(BytesIO(two.screenshot())).convert("RGB")).astype(int)
    for frame, method in ((0, "mean"), (1, "std")):
        x, y = np.round(places_in(two, site, frame, method, near[0])).astype(int)
        around = shot[y - 8 : y + 9, x - 8 : x + 9].reshape(-1, 3)
        blue = (around[:, 2] - around[:, 0] > 60).sum()
        assert blue > 15, "there is a ring in the colour of links"


def test_a_saved_picture_names_its_maps(two):
    with two.expect_download() as download:
        two.get_by_role("button", name="Save PNG").click()
    picture = np.asarray(Image.open(download.value.path()).convert("L"))
    stage = two.locator(".stage").bounding_box()
    assert picture.shape[::-1] == (round(stage["width"]), round(stage["height"]))
    for left in (0, round(stage["width"] / 2)):
        assert (picture[6:22, left + 8 : left + 90] < 120).sum() > 40, "there is a name"


def test_a_click_makes_a_map_the_one_that_panels_are_about(two, site, sites, rest):
    row, place = lone_in(two, site, 1, "std")
    two.mouse.click(*place)
    two.wait_for_selector(f".detail[data-row='{row}']")
    assert two.locator("#method").input_value() == "tiny/plain/std"
    assert two.locator(".frame.active .caption").inner_text().startswith("std")
    label = site.known["label"]
    rows = np.flatnonzero(label == label[row])
    before = rows[(np.searchsorted(rows, row) - 1) % len(rows)]
    near = two.locator(".detail .tile").first
    assert int(near.get_attribute("data-row")) == before  # the nearest in `std`, not in `mean`
    said = address(two)
    assert said["map"] == "tiny/plain/std/umap"
    assert json.loads(said["beside"]) == ["tiny/plain/mean/umap"]
    two.reload()
    shows(two, "mean/umap", "std/umap")
    rest(two)
    assert two.locator(".frame.active .caption").inner_text().startswith("std")
    two.get_by_label("Put std away").click()
    shows(two, "mean/umap")
    assert two.locator(".frame").count() == 0


def test_four_maps_fill_up_with_other_maps_and_follow_the_list(opened, rest, without_webgl):
    page = opened(browser=without_webgl, reduced_motion="reduce")
    page.get_by_label("Four maps").click()
    shows(page, "mean/umap", "std/umap", "mean/pca", "std/pca")
    page.locator(".frame .caption").nth(1).click()
    page.locator("#method").select_option("tiny/plain/mean")
    shows(page, "mean/umap", "mean/umap", "mean/pca", "std/pca")
    rest(page)
    boxes = [frame.bounding_box() for frame in page.locator(".frame").all()]
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    for box in boxes:  # points in each, also without WebGL
        part = np.asarray(
            shot.crop((box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"] - 40))
        )
        colored = (part.max(axis=-1).astype(int) - part.min(axis=-1)) > 80
        assert colored.mean() > 0.01
    assert re.search("beside", page.url)


def test_moving_one_or_two_maps_uploads_nothing(opened, rest):
    page = opened(reduced_motion="reduce")
    page.evaluate("""() => {
        window.uploads = 0;
        for (const name of ['bufferData', 'bufferSubData', 'texImage2D', 'texSubImage2D']) {
            const upload = WebGL2RenderingContext.prototype[name];
            WebGL2RenderingContext.prototype[name] = function (...all) {
                window.uploads++;
                return upload.apply(this, all);
            };
        }
    }""")
    for key in ("f", "s"):
        page.keyboard.press(key)
        page.wait_for_timeout(400)
        rest(page)
        before = page.evaluate("window.uploads")
        page.mouse.move(500, 400)
        page.mouse.wheel(0, -240)
        page.mouse.down()
        page.mouse.move(560, 430, steps=5)
        page.mouse.up()
        rest(page)
        assert page.evaluate("window.uploads") == before
    page.locator("#color").select_option(label="weight")
    page.wait_for_selector(".legend .scale")
    rest(page)
    assert page.evaluate("window.uploads") > before  # or nothing was counted
