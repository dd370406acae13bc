"""A person opens the explorer, looks around and points at samples."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser


def colors_on(page) -> set[str]:
    """Return the colours that cover more than a few pixels of the map."""
    shot = page.locator(".stage").screenshot()
    pixels = np.asarray(Image.open(BytesIO(shot)).convert("RGB")).reshape(-1, 3)
    found, counts = np.unique(pixels, axis=0, return_counts=True)
    return {f"#{bytes(color).hex().upper()}" for color in found[counts > 20]}


def test_the_first_view_shows_every_label_in_its_colour(opened, site, sites, rest):
    page = opened()
    assert page.locator("#method option:checked").inner_text() == "mean — 0.71"
    names = page.locator(".legend .name").all_inner_texts()
    counts = [int(text) for text in page.locator(".legend .number").all_inner_texts()]
    sizes = np.bincount(site.known["label"])
    assert counts == sorted(sizes, reverse=True)
    assert sites.HOSTILE in names and "__proto__" in names and "constructor" in names
    page.locator("#opacity").press("End")
    rest(page)
    assert set(sites.PALETTE["categories"]) <= colors_on(page)
    assert page.locator(".status").inner_text().startswith("300 samples")


def test_pointing_at_a_point_shows_its_card(opened, site, sites):
    page = opened()
    row = site.lone(page)
    page.mouse.move(*site.on_screen(page, row))
    card = page.locator(".card")
    assert card.locator(".id").inner_text() == sites.name(row)
    assert card.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)") == 64
    label = sites.LABELS[site.known["label"][row]]
    assert card.locator(".fact").first.locator("bdi").last.text_content() == label
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert card.is_hidden()


def test_drag_moves_and_the_wheel_zooms_around_the_pointer(opened, site, sites, rest):
    page = opened()
    row = site.lone(page)
    x, y = site.on_screen(page, row)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -240)
    rest(page)
    page.mouse.move(x + 1, y)  # the place under the pointer stays
    assert page.locator(".card .id").inner_text() == sites.name(row)
    page.mouse.move(600, 400)
    page.mouse.down()
    page.mouse.move(640, 430, steps=4)
    page.mouse.up()
    rest(page)
    page.mouse.move(x + 40, y + 30)
    assert page.locator(".card .id").inner_text() == sites.name(row)
    page.wait_for_function("location.hash.includes('camera')")
    page.reload()
    rest(page)
    page.mouse.move(x + 40, y + 30)
    assert page.locator(".card .id").inner_text() == sites.name(row)


def test_without_webgl_the_processor_draws_the_same_map(opened, site, sites, rest, without_webgl):
    page = opened(browser=without_webgl)
    assert page.evaluate("document.createElement('canvas').getContext('webgl2')") is None
    page.locator("#opacity").press("End")
    rest(page)
    assert set(sites.PALETTE["categories"]) <= colors_on(page)
    row = site.lone(page)
    page.mouse.move(*site.on_screen(page, row))
    assert page.locator(".card .id").inner_text() == sites.name(row)


def test_a_lost_context_comes_back(opened, sites, rest):
    page = opened()
    page.locator("#opacity").press("End")
    rest(page)
    before = colors_on(page)
    page.evaluate("""() => {
        const canvas = [...document.querySelectorAll('.stage canvas')]
            .find((one) => one.getContext('webgl2') !== null);
        window.extension = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');
        window.extension.loseContext();
    }""")
    page.wait_for_timeout(300)
    rest(page)
    assert set(sites.PALETTE["categories"]) <= colors_on(page)  # by the processor
    page.evaluate("window.extension.restoreContext()")
    page.wait_for_timeout(300)
    rest(page)
    assert colors_on(page) == before


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (3840, "light")])
def test_the_page_fits_its_screen(opened, rest, width, scheme):
    page = opened(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    rest(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".stage").bounding_box()["height"] > 250
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = max(map(int, re.findall(r"\d+", background))) < 100
    assert dark == (scheme == "dark")
