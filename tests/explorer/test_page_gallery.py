"""A person sees all embeddings of an encoder at once, small, and takes one."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser


def colors_in(page, tile) -> set[str]:
    """Return the colours that cover more than a few pixels of a small map."""
    pixels = np.asarray(Image.open(BytesIO(tile.screenshot())).convert("RGB")).reshape(-1, 3)
    found, counts = np.unique(pixels, axis=0, return_counts=True)
    return {f"#{bytes(color).hex().upper()}" for color in found[counts > 8]}


def open_gallery(page, rest):
    page.locator("#opacity").press("End")
    rest(page)
    page.get_by_label("All embeddings of this encoder, small").click()
    page.wait_for_selector(".gallery[data-drawn]")
    return page.locator(".small-maps button")


def test_all_embeddings_are_small_maps_in_one_canvas_and_a_click_takes_one(opened, sites, rest):
    page = opened(reduced_motion="reduce")
    tiles = open_gallery(page, rest)
    assert tiles.evaluate_all("all => all.map((one) => one.ariaLabel)") == [
        "mean, umap, k-NN accuracy: 0.71 [0.6, 0.8], chance 0.125",
        "std, umap, k-NN accuracy: 0.61 [0.6, 0.8], chance 0.125",
    ]
    contexts = page.evaluate("""[...document.querySelectorAll('.multiples canvas')]
        .filter((one) => one.getContext('webgl2') !== null).length""")
    assert contexts == 1
    for tile in tiles.all():
        assert set(sites.PALETTE["categories"]) <= colors_in(page, tile)
    page.keyboard.press("Escape")
    assert page.locator(".gallery").is_hidden()
    page.keyboard.press("a")
    page.wait_for_selector(".gallery[data-drawn]")
    page.wait_for_timeout(350)
    assert "gallery=true" in page.url
    page.keyboard.press("Tab")  # from the map shown, which has the focus, to the next one
    page.keyboard.press("Enter")
    page.wait_for_selector(".stage[data-map='tiny/plain/std/umap']")
    assert page.locator(".gallery").is_hidden()
    page.keyboard.press("3")
    page.wait_for_selector(".stage[data-map='tiny/plain/std/umap3d']")
    page.keyboard.press("a")
    page.wait_for_selector(".gallery[data-drawn]")
    assert "std, umap3d" in tiles.nth(1).get_attribute("aria-label")
    assert tiles.nth(1).get_attribute("aria-current") == "true"


def test_small_maps_follow_legend_and_selection_without_webgl_too(
    opened, sites, rest, without_webgl
):
    page = opened(browser=without_webgl, reduced_motion="reduce")
    tiles = open_gallery(page, rest)
    every = set(sites.PALETTE["categories"])
    assert every <= colors_in(page, tiles.nth(1))
    page.locator(".legend li").first.hover()
    page.locator(".legend .value").first.click()
    page.wait_for_timeout(500)
    assert colors_in(page, tiles.nth(1)) & every == {sites.PALETTE["categories"][0]}
