"""What a page must not look like: names over names, texts out of their frame, colours lost in the dark."""

import re
from itertools import combinations

import pytest

pytestmark = pytest.mark.browser

VAE = ("tiny-vae", "plain")
WIDTHS = (1400, 800, 380)


@pytest.fixture(params=[(width, scheme) for width in WIDTHS for scheme in ("light", "dark")])
def screen(request, browser):
    """Open a file on screens of each width, light and dark."""
    width, scheme = request.param
    phone = width < 500
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        is_mobile=phone,
        has_touch=phone,
    )
    page = context.new_page()

    def open_file(path):
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]")
        return page

    yield open_file
    context.close()


BOXES = """marks => marks.map(mark => {
  const { left, top, right, bottom } = mark.getBoundingClientRect();
  return { text: mark.textContent, left, top, right, bottom, opacity: +getComputedStyle(mark).opacity };
}).filter(({ text, opacity }) => text && opacity > 0)"""


def boxes_of(page, selector):
    return page.locator(selector).evaluate_all(BOXES)


def overlap(one, other, least=1.0):
    across = min(one["right"], other["right"]) - max(one["left"], other["left"])
    down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return across > least and down > least
