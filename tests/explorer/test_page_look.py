"""A person opens the explorer, looks around and points at samples."""

import gzip
import json
import re
from io import BytesIO
from urllib.parse import unquote

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
    score = "k-NN accuracy: 0.71 [0.6, 0.8], chance 0.125"
    assert page.locator("#method").get_attribute("title") == score
    groups = page.locator("#method optgroup")
    assert groups.evaluate_all("all => all.map((one) => one.label)") == [
        "Encoders, by k-NN accuracy"
    ]
    names = page.locator(".legend .name").all_inner_texts()
    counts = [int(text) for text in page.locator(".legend .number").all_inner_texts()]
    sizes = np.bincount(site.known["label"])
    assert counts == sorted(sizes, reverse=True)
    assert sites.HOSTILE in names and "__proto__" in names and "constructor" in names
    page.locator("#opacity").press("End")
    rest(page)
    assert set(sites.PALETTE["categories"]) <= colors_on(page)
    assert page.locator(".status").inner_text().startswith("300 samples")


def test_columns_of_the_embedding_follow_the_map_shown(opened, sites):
    page = opened()
    group = page.locator("#color optgroup", has_text="Density")
    assert group.locator("option").all_text_contents() == ["Density", "Purity", "Trust"]
    page.locator("#color").select_option(label="Density")
    page.wait_for_selector(".legend .scale")
    page.keyboard.press("]")  # of which no density is known: all have one colour
    page.wait_for_selector(".legend .scale", state="detached")
    page.keyboard.press("[")
    page.wait_for_selector(".legend .scale")


def test_size_follows_a_number_and_its_slider(opened, site, rest):
    def covered(page):
        """Return the share of the map that points cover."""
        shot = Image.open(BytesIO(page.locator(".stage").screenshot())).convert("RGB")
        return (np.asarray(shot).reshape(-1, 3) != 255).any(axis=1).mean()

    page = opened()
    page.mouse.click(1000, 300)  # puts the hint away
    rest(page)
    plain = covered(page)
    page.locator("#scale").press("End")
    rest(page)
    assert covered(page) > 3 * plain
    page.locator("#scale").press("Home")
    page.locator("#size").select_option(label="weight")
    rest(page)
    assert covered(page) < plain


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


@pytest.mark.slow
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
    page.wait_for_timeout(400)
    assert "camera" in page.url
    page.reload()
    rest(page)
    page.mouse.move(x + 40, y + 30)
    assert page.locator(".card .id").inner_text() == sites.name(row)


def test_without_webgl_the_processor_draws_the_same_map(opened, site, sites, rest, without_webgl):
    page = opened(browser=without_webgl)
    assert page.evaluate("document.createElement('canvas').getContext('webgl2')") is None
    colors = [np.array([*bytes.fromhex(color[1:])]) for color in sites.PALETTE["categories"]]
    mixed = [np.round(255 + 0.85 * (color - 255)).astype(int) for color in colors]  # with white
    assert {f"#{bytes(color.tolist()).hex().upper()}" for color in mixed} <= colors_on(page)
    page.locator("#opacity").press("End")
    rest(page)
    assert set(sites.PALETTE["categories"]) <= colors_on(page)
    row = site.lone(page)
    page.mouse.move(*site.on_screen(page, row))
    assert page.locator(".card .id").inner_text() == sites.name(row)


def drawn_by_webgl(page) -> bool:
    """Return whether the points that are seen are on a canvas of WebGL."""
    return page.evaluate("""() => [...document.querySelectorAll('.stage canvas')]
        .some((one) => one.style.visibility === 'visible' && one.getContext('2d') === null)""")


@pytest.mark.slow
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
    assert not drawn_by_webgl(page)
    page.evaluate("window.extension.restoreContext()")
    page.wait_for_timeout(300)
    rest(page)
    assert colors_on(page) == before
    assert drawn_by_webgl(page)


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


def turned(page) -> float:
    """Return how far the map is turned, as the page's address says."""
    page.wait_for_timeout(350)
    found = re.search(r"camera=(\S+?)(&|$)", unquote(page.url))
    return json.loads(found[1])[5] if found else 0.6


@pytest.mark.slow
def test_in_3d_drags_turn_and_the_right_button_moves(opened, rest):
    page = opened(reduced_motion="reduce")
    page.keyboard.press("3")
    page.wait_for_selector(".stage[data-map='tiny/plain/mean/umap3d']")
    rest(page)
    start = turned(page)
    page.mouse.move(500, 400)
    page.mouse.down()
    page.mouse.move(600, 400, steps=4)
    page.mouse.up()
    rest(page)
    assert turned(page) == pytest.approx(start - 0.8, abs=1e-3)
    page.mouse.down(button="right")
    page.mouse.move(640, 430, steps=4)
    page.mouse.up(button="right")
    rest(page)
    assert turned(page) == pytest.approx(start - 0.8, abs=1e-3)
    numbers = json.loads(re.search(r"camera=(\S+?)(&|$)", unquote(page.url))[1])
    assert max(map(abs, numbers[1:4])) > 0.01
    page.mouse.wheel(0, -240)
    rest(page)
    page.wait_for_timeout(350)
    assert json.loads(re.search(r"camera=(\S+?)(&|$)", unquote(page.url))[1])[4] < numbers[4]
    page.keyboard.press("2")
    page.wait_for_selector(".stage[data-map='tiny/plain/mean/umap']")


def test_two_dimensions_come_back_as_they_were_left(opened, sites):
    page = opened("#map=tiny/plain/mean/pca", reduced_motion="reduce")
    page.keyboard.press("3")
    page.wait_for_selector(".stage[data-map='tiny/plain/mean/umap3d']")
    page.keyboard.press("2")
    page.wait_for_selector(".stage[data-map='tiny/plain/mean/pca']")


@pytest.mark.slow
def test_a_solid_map_turns_until_it_is_touched_and_not_for_whom_motion_is_too_much(opened, rest):
    page = opened()
    page.keyboard.press("3")
    page.wait_for_selector(".stage[data-map='tiny/plain/mean/umap3d']")
    page.wait_for_timeout(2500)
    assert page.locator(".stage").get_attribute("data-view") == "moving"
    page.mouse.click(600, 300)
    rest(page)
    page.wait_for_timeout(2000)
    assert page.locator(".stage").get_attribute("data-view") == "resting"
    calm = opened("#map=tiny/plain/mean/umap3d", reduced_motion="reduce")
    calm.wait_for_timeout(2500)
    assert calm.locator(".stage").get_attribute("data-view") == "resting"


@pytest.mark.slow
def test_points_fly_to_the_map_of_another_embedding(opened, site, sites, rest):
    page = opened()
    row = site.lone(page)
    page.locator("#method").select_option("tiny/plain/std")
    page.wait_for_selector(".stage[data-map='tiny/plain/std/umap']")
    rest(page)
    page.mouse.move(*site.on_screen(page, row, "std"))
    card = page.locator(".card .id").inner_text()
    near = np.linalg.norm(
        site.on_screen(page, range(300), "std") - site.on_screen(page, row, "std"), axis=1
    )
    assert near[int(card.removeprefix("sample-"))] <= near[near > 0].min()
    assert "0.61" in page.locator(".status").inner_text()


def test_every_first_act_is_in_reach_of_the_keyboard(opened, sites):
    page = opened()
    page.locator(".stage").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("f")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    page.locator(".stage").focus()
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail[data-row]")
    unnamed = page.evaluate("""[...document.querySelectorAll('button, input, select')]
        .filter((one) => one.offsetParent !== null)
        .filter((one) => !(one.ariaLabel || one.innerText?.trim() || one.labels?.length))
        .map((one) => one.outerHTML)""")
    assert unnamed == []


def test_the_code_of_the_first_view_stays_small(bundle):
    assert len(gzip.compress((bundle / "assets" / "explorer.js").read_bytes())) < 100_000
