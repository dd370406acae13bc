"""Take the picture in the README: the summary of a run beside its first map."""

from __future__ import annotations

import argparse
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
SUMMARY = ROOT / "results" / "demo" / "report" / "summary_report.html"
PICTURE = ROOT / "docs" / "images" / "report.png"

WIDTH, HEIGHT = 950, 760
"""Pixels of each half, which are those of the browser's window."""

COLOURED = 80
"""Saturation, of 255, from which a pixel is no axis and no text."""


def take(browser: Browser, summary: Path, picture: Path) -> None:
    """Write the picture of a summary as PNG."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(summary.resolve().as_uri())
    page.wait_for_selector("html[data-drawn]")
    halves = [page.screenshot()]
    page.locator("#maps").evaluate("section => section.scrollIntoView()")
    page.locator("#maps .chart").first.scroll_into_view_if_needed()
    hover(page)
    halves.append(page.screenshot())
    page.close()
    both = Image.new("RGB", (2 * WIDTH, HEIGHT))
    for place, half in enumerate(halves):
        both.paste(Image.open(BytesIO(half)), (place * WIDTH, 0))
    # Text and points need few colours: a third of the bytes.
    both.quantize(256, dither=Image.Dither.NONE).save(picture, optimize=True)


def hover(page: Page) -> None:
    """Move the mouse over coloured pixels of the first map, from its middle, until one is a sample.

    Raises:
        SystemExit: none is.
    """
    chart = page.locator("#maps canvas, #maps svg.marks").first
    box = chart.bounding_box()
    assert box is not None
    saturation = np.asarray(Image.open(BytesIO(chart.screenshot())).convert("HSV"))[..., 1]
    places = np.argwhere(saturation > COLOURED)
    nearest = np.argsort(np.square(places - np.array(saturation.shape) / 2).sum(axis=1))
    tooltip = page.locator("#vg-tooltip-element.visible")
    for down, across in places[nearest].tolist():
        page.mouse.move(box["x"] + across, box["y"] + down)
        if tooltip.count():
            return
    raise SystemExit("The first map shows no sample to hover over.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("summary", nargs="?", type=Path, default=SUMMARY)
    parser.add_argument("picture", nargs="?", type=Path, default=PICTURE)
    given = parser.parse_args()
    with sync_playwright() as playwright:
        take(
            playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            ),
            given.summary,
            given.picture,
        )
