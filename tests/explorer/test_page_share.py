"""A person takes the view along: as a picture, and as a drawing that other programs edit."""

from __future__ import annotations

import base64
import io
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

SVG = "{http://www.w3.org/2000/svg}"


def drawing(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").click()
    assert download.value.suggested_filename == "map.svg"
    return ElementTree.fromstring(download.value.path().read_text("utf-8"))


def hexes(elements):
    return {element.get("fill").upper() for element in elements}


def test_the_drawing_has_every_point_in_its_place_and_colour(opened, site, sites, rest):
    page = opened("#row=7&key=0123456789abcdef")
    page.wait_for_selector(".detail[data-row='7']")
    rest(page)
    root = drawing(page)
    circles = [
        one for one in root.iter(f"{SVG}circle") if one.get("cx") and one.get("fill-opacity")
    ]
    assert len(circles) == 300
    stage = page.locator(".stage").bounding_box()
    found = np.array([[float(one.get("cx")), float(one.get("cy"))] for one in circles])
    places = site.on_screen(page, range(300)) - [stage["x"], stage["y"]]
    nearest = np.linalg.norm(found[:, None] - places[None], axis=-1)
    assert nearest.min(axis=0).max() < 0.1 and nearest.min(axis=1).max() < 0.1
    label = site.known["label"][nearest.argmin(axis=1)]
    colors = np.array([one.get("fill").upper() for one in circles])
    palette = dict(zip(label, colors, strict=True))
    assert all(palette[one] == color for one, color in zip(label, colors, strict=True))
    assert hexes(circles) == {color.upper() for color in sites.PALETTE["categories"]}
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert any(sites.HOSTILE[:20] in text for text in texts)  # as text, not as markup
    assert root.find(f".//{SVG}script") is None and root.find(f".//{SVG}img") is None
    # Above the points: the open sample with lines to its neighbors.
    assert len([one for one in root.iter(f"{SVG}path") if one.get("fill") == "none"]) > 4


def test_a_solid_map_is_drawn_with_its_axes(opened, rest):
    page = opened("#map=tiny/plain/mean/umap3d", reduced_motion="reduce")
    rest(page)
    root = drawing(page)
    assert {"x", "y", "z"} <= {one.text for one in root.iter(f"{SVG}text")}
    sizes = {one.get("r") for one in root.iter(f"{SVG}circle") if one.get("fill-opacity")}
    assert len(sizes) > 20  # nearer ones are larger


@pytest.mark.slow
def test_many_points_are_one_picture_in_the_drawing(browser, sites, bundle, served, tmp_path, rest):
    sites.write_site(tmp_path, count=5_200, pictures=False)
    shutil.copytree(bundle, tmp_path, dirs_exist_ok=True)
    page = browser.new_page(viewport={"width": 900, "height": 700})
    page.goto(served(tmp_path))
    rest(page)
    page.locator("#opacity").press("End")
    rest(page)
    root = drawing(page)
    (image,) = root.iter(f"{SVG}image")
    kind, _, content = image.get("href").partition(",")
    assert kind == "data:image/png;base64"
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGBA"))
    seen = {
        f"#{bytes(one[:3]).hex().upper()}"
        for one in np.unique(pixels.reshape(-1, 4), axis=0)
        if one[3] == 255
    }
    assert set(sites.PALETTE["categories"]) <= seen
    assert [one for one in root.iter(f"{SVG}circle") if one.get("fill-opacity")] == []
    page.close()
