"""What no page may look like: names over names, cut texts, fading greys, hints that do not help."""

import re
from itertools import combinations, pairwise

import pytest

pytestmark = pytest.mark.browser

VAE = ("tiny-vae", "plain")
COMPARISONS = (*VAE, "comparisons")
SCREENS = [(1400, "light"), (800, "dark"), (380, "light"), (380, "dark")]
PAGES = [
    (),
    (*VAE, "maps.html"),
    (*VAE, "per_method", "mean", "umap.html"),
    (*VAE, "deep_dive", "nearest_neighbors.html"),
    (*COMPARISONS, "pareto_frontier.html"),
    (*COMPARISONS, "metric_bars.html"),
    (*COMPARISONS, "label_curve.html"),
    (*COMPARISONS, "radar_chart.html"),
]


@pytest.fixture(scope="module", params=SCREENS, ids=lambda screen: "-".join(map(str, screen)))
def screen(request, browser):
    """A screen of one width, light or dark; the narrow ones are phones."""
    width, scheme = request.param
    is_phone = width < 500
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        is_mobile=is_phone,
        has_touch=is_phone,
    )
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", params=PAGES, ids=lambda parts: parts[-1] if parts else "summary")
def page(request, screen, report):
    """One page on one screen, for tests that only look at it."""
    parts = request.param
    tab = screen.context.new_page()
    yield opened(tab, report.page(*parts) if parts else report.summary)
    tab.close()


def opened(screen, path):
    screen.goto(path.as_uri())
    screen.wait_for_selector("html[data-drawn]")
    return screen


def boxes(page, selector):
    """Text, corners and opacity of what can be seen of some elements."""
    return page.locator(selector).evaluate_all("""elements => elements.map((element) => {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        const opacity = Number(getComputedStyle(element).opacity);
        return { text: element.textContent, left, top, right, bottom, opacity };
    }).filter(({ left, right, opacity }) => right > left && opacity > 0)""")


def shared(one, other):
    """The pixels that two boxes share, across and down."""
    across = min(one["right"], other["right"]) - max(one["left"], other["left"])
    down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return min(across, down)


def luminance(color):
    linear = [
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (value / 255 for value in color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(color, paper):
    """The contrast of two colours as WCAG defines it, from 1 to 21."""
    dark, light = sorted((luminance(color), luminance(paper)))
    return (light + 0.05) / (dark + 0.05)


def colors(page, selector, name):
    """A colour of each element, without its opacity."""
    found = page.locator(selector).evaluate_all(
        "(elements, name) => [...new Set(elements.map(one => getComputedStyle(one)[name]))]", name
    )
    return [tuple(map(int, re.findall(r"\d+", one)[:3])) for one in found if one != "none"]


def paper_of(page):
    return colors(page, "body", "backgroundColor")[0]


def test_names_of_points_cover_neither_points_nor_each_other_and_stay_inside(screen, report):
    page = opened(screen, report.page(*COMPARISONS, "pareto_frontier.html"))
    names = boxes(page, ".chart svg .mark-text.role-mark text")
    points = boxes(page, ".chart svg .mark-symbol.role-mark path")
    groups = boxes(page, ".chart svg .role-scope > g > path.background")
    frames = [group for group in groups if group["right"] - group["left"] > 150]
    assert len(frames) == 2 and len(points) > 10 and names
    # The best method is named in each panel.
    assert sum(name["text"] == "mean" for name in names) == len(frames)
    for one, other in combinations(names, 2):
        assert shared(one, other) < 2, (one, other)
    for name in names:
        # A box of text is higher than its letters.
        assert max(shared(name, point) for point in points) < 3, name
        assert any(
            frame["left"] <= name["left"] and name["right"] <= frame["right"] for frame in frames
        ), name


def test_texts_of_a_chart_are_neither_over_each_other_nor_beside_the_chart(page):
    for chart in page.locator(".chart:has(svg.marks)").all():
        (frame,) = boxes(chart, "svg.marks")
        texts = boxes(chart, "svg.marks text:not([transform*=rotate])")
        for one, other in combinations(texts, 2):
            assert shared(one, other) < 4 or one["text"] == other["text"], (one, other)
        for text in texts:
            assert frame["left"] - 1 <= text["left"] and text["right"] <= frame["right"] + 1, text


def test_charts_are_as_wide_as_there_is_room_and_no_wider(page):
    beyond = page.locator(".plate").evaluate_all(
        "plates => plates.map((one) => [one.scrollWidth - one.clientWidth, one.innerText])"
    )
    # A matrix of many columns is wider than a phone, and moves inside its frame.
    assert not [plate for plate in beyond if 0 < plate[0] < 40]


def test_no_name_of_a_method_is_cut(screen, report):
    page = opened(screen, report.page(*COMPARISONS, "metric_bars.html"))
    names = boxes(page, ".chart svg .role-axis-label text")
    assert {"mean", "dct / mean"} <= {name["text"] for name in names}
    assert not [name["text"] for name in names if name["text"].endswith("…")]


def test_numbers_on_axes_have_one_form(screen, report):
    page = opened(screen, report.page(*COMPARISONS, "metric_bars.html"))
    texts = {one["text"] for one in boxes(page, ".chart svg .role-axis-label text")}
    numbers = {text for text in texts if re.fullmatch(r"−?[\d.,]+(e\S+)?", text)}
    assert len(numbers) > 10
    assert not [text for text in numbers if re.search(r"\.\d*0$|e", text)]


def test_texts_stand_out_from_the_paper(page):
    paper = paper_of(page)
    for selector in ("p", "a", "th", "td", "button", ".muted", ".hint", ".note", ".faint", "dt"):
        for color in colors(page, f"main {selector}:not(.vega-actions *)", "color"):
            assert contrast(color, paper) >= 4.5, (selector, color)
    for color in colors(page, ".chart svg text", "fill"):
        assert contrast(color, paper) >= 4.5 or color in {(255, 255, 255), (34, 34, 34)}, color


def test_intervals_and_lines_stand_out_from_the_paper(screen, report):
    for name in ("metric_bars", "pareto_frontier"):
        page = opened(screen, report.page(*COMPARISONS, f"{name}.html"))
        marks = page.locator(".chart svg .mark-rule.role-mark line, .mark-line.role-mark path")
        seen = marks.evaluate_all("""marks => [...new Set(marks.map((mark) => {
            const { stroke, opacity } = getComputedStyle(mark);
            return `${stroke} ${opacity}`;
        }))]""")
        assert seen
        paper = paper_of(page)
        for mark in seen:
            *color, opacity = map(float, re.findall(r"[\d.]+", mark))
            mixed = [
                opacity * own + (1 - opacity) * behind
                for own, behind in zip(color[:3], paper, strict=True)
            ]
            assert contrast(mixed, paper) >= 2.5, mark


def test_headings_skip_no_level(page):
    levels = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(
        "headings => headings.map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_hints_say_what_the_device_can_do(page):
    text = page.locator("main").inner_text().lower()
    is_phone = page.viewport_size["width"] < 500
    for word in ("hover over", "double-click", "scroll to zoom"):
        assert not (is_phone and word in text)
    assert not ("tap" in text.split() and not is_phone)


def test_nothing_is_wider_than_the_page(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_every_row_of_metrics_is_as_high_as_its_text(screen, report):
    page = opened(screen, report.page(*VAE, "per_method", "mean", "umap.html"))
    rows = boxes(page, "main table tbody tr")
    assert rows
    assert max(row["bottom"] - row["top"] for row in rows) < 120


def test_a_tap_on_a_cell_tells_its_details(screen, report):
    if screen.viewport_size["width"] > 500:
        pytest.skip("not a phone")
    page = opened(screen, report.summary)
    cell = page.locator("#table td[title*='95 % interval']").first
    told = page.locator("output.told")
    assert not told.is_visible()
    cell.tap()
    assert told.inner_text() == cell.get_attribute("title")
    page.locator("h1").tap()
    assert not told.is_visible()
