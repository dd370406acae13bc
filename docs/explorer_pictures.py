"""Take the pictures of docs/explorer.md from a finished run.

    python docs/explorer_pictures.py results/demo results/planted-276000

The second run is for the picture in three dimensions; benchmarks/explorer_data.py plants one.
"""

from __future__ import annotations

import argparse
import shutil
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from latentmap.explorer.serve import address, make_server

IMAGES = Path(__file__).parent / "images"
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
SIZE: ViewportSize = {"width": 1280, "height": 760}


def main() -> None:
    """Open the explorers of two runs and take a picture of each act."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("solid", type=Path)
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = opened(browser, options.run, "light")
        open_sample(page)
        keep(page, "explorer-sample")
        ask_why(page)
        keep(page, "explorer-why")
        page.keyboard.press("Escape")
        select_a_cluster(page)
        keep(page, "explorer-selection")
        page.keyboard.press("Escape")  # puts the lasso away, then the selection
        page.keyboard.press("Escape")
        compare(page)
        keep(page, "explorer-compare")
        page = opened(browser, options.solid, "dark")
        page.keyboard.press("3")
        page.wait_for_timeout(2000)
        keep(page, "explorer-3d")
        browser.close()


def opened(browser: Browser, run: Path, scheme: Literal["light", "dark"]) -> Page:
    """Open the explorer of a run."""
    server = make_server(run)
    Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce")
    page.goto(address(server))
    rest(page)
    page.keyboard.press("Escape")  # puts the hint away
    return page


def open_sample(page: Page) -> None:
    """Open the sample nearest to the middle of the map."""
    page.locator(".stage").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail[data-row] .tile")
    page.locator(".stage").blur()


def ask_why(page: Page) -> None:
    """Ask what makes the open sample and its sixth neighbor near."""
    page.locator("#why").select_option(index=6)
    page.locator(".why .bars li").last.wait_for()
    page.locator(".why").evaluate("section => section.scrollIntoView()")


def select_a_cluster(page: Page) -> None:
    """Draw a lasso around the top of the map, where the demo has a cluster."""
    box = page.locator(".stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2 + 40, box["y"] + 60
    page.keyboard.press("l")
    page.mouse.move(x - 100, y - 45)
    page.mouse.down()
    for dx, dy in ((40, -50), (100, 20), (60, 100), (-60, 95), (-110, 30)):
        page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()
    page.wait_for_selector(".selection tbody tr")
    page.locator(".stage").blur()


def compare(page: Page) -> None:
    """Lay another embedding beside the map, and colour by where it keeps labels together less."""
    page.keyboard.press("s")
    rest(page)
    less = page.locator("#color optgroup[label$='here less there'] option").first
    page.locator("#color").select_option(value=less.get_attribute("value"))
    page.locator("#color").blur()


def rest(page: Page) -> None:
    """Wait until the map rests."""
    page.wait_for_timeout(300)
    page.wait_for_selector(".stage[data-view=resting]")


def keep(page: Page, name: str) -> None:
    """Write what the page shows, once its pictures are there."""
    page.wait_for_timeout(800)
    rest(page)
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    # Text and points need few colours: a third of the bytes. An octree keeps those of dots apart.
    few = shot.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
