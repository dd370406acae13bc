"""A person compares a run with the one before it, and sources region by region."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser


@pytest.fixture
def compared(opened, sites, rest):
    page = opened(f"#map={sites.COMPARED}", reduced_motion="reduce")
    page.locator("#opacity").press("End")
    rest(page)
    return page


def color_at(page, place):
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    x, y = np.round(place).astype(int)
    return f"#{bytes(shot.getpixel((int(x), int(y)))).hex().upper()}"


def middle(page, site):
    """Return where the middle of the clusters lies on the page."""
    places = site.known["places"]["std", "pca"]
    on_screen = site.on_screen(page, range(300), "std", "pca")
    unit = (on_screen[1] - on_screen[0]) / (places[1] - places[0])
    return on_screen[0] + (10 - places[0]) * unit


def test_the_samples_of_the_run_before_lie_below_in_grey(compared, site, sites, rest):
    place = middle(compared, site)
    grey = sites.PALETTE["none"]
    assert color_at(compared, place) == grey
    switch = compared.get_by_label("50 samples of earlier in grey")
    switch.uncheck()
    compared.wait_for_timeout(200)
    rest(compared)
    assert color_at(compared, place) == "#FFFFFF"
    compared.wait_for_timeout(350)
    assert "before=false" in compared.url
    switch.check()
    compared.wait_for_timeout(200)
    rest(compared)
    compared.mouse.move(*place)  # there is nothing to say of them
    compared.wait_for_timeout(300)
    assert compared.locator(".card").is_hidden()
    compared.keyboard.press("[")  # on whose map they are not
    compared.wait_for_selector(".stage[data-map='tiny/plain/mean/pca']")
    assert switch.is_hidden()


def test_regions_say_where_a_source_is_more_frequent(compared, site, sites, rest):
    compared.locator("#regions").select_option(label="By region: demo")
    rest(compared)
    share = np.bincount(site.known["label"]) / 300
    told = compared.locator(".regions-list li")
    difference = np.abs(share - 1 / 8)
    assert told.count() == 8
    most = int(difference.argmax())
    first = told.first.inner_text().replace("\u00a0", " ").replace("−", "-")
    assert f"{100 * (share[most] - 1 / 8):+.1f}: {100 * share[most]:.1f} % against 12.5 %" in first
    assert told.locator("strong").count() == 1  # one differs beyond chance
    centres = np.array(sites.centre(np.arange(8), "std"))
    places = site.known["places"]["std", "pca"]
    nearest = np.linalg.norm(places[:, None] - centres[None], axis=-1).argmin(axis=1)
    told.first.locator("button").click()
    compared.wait_for_selector(".selection h2")
    found = compared.locator(".selection h2").first.inner_text().split()[0]
    assert int(found) == (nearest == most).sum()
    on_screen = site.on_screen(compared, range(300), "std", "pca")
    between = np.add(on_screen[nearest == most].mean(axis=0), (0, 60))
    assert color_at(compared, between) != "#FFFFFF"  # tinted
    compared.wait_for_timeout(350)
    compared.reload()
    rest(compared)
    assert compared.locator("#regions").input_value() == "demo"
    assert color_at(compared, between) != "#FFFFFF"
