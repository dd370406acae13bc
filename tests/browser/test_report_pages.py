import io
import re

import numpy as np
import pytest
from PIL import Image

from latentmap.report.chart import CHARTS, charts_of
from latentmap.store.results import PROJECTION, VEGA

pytestmark = pytest.mark.browser

VAE = ("tiny-vae", "plain")
# Orange and sky blue, at the opacity of points on white.
COLOR_OF_SIZE = (0xEB, 0xB2, 0x33)
SECOND_COLOR = (0x78, 0xC3, 0xED)


def pixels_of(page, color):
    """Places (n, 2), row and column, where the first map is nearly of a colour."""
    picture = Image.open(io.BytesIO(page.locator(".chart canvas").first.screenshot()))
    distance = np.abs(np.asarray(picture.convert("RGB"), np.int16) - color)
    return np.argwhere(distance.max(axis=2) < 30)


def hover(page, color, wanted):
    """Move over points of a colour until a tooltip has the wanted text; return it."""
    places = pixels_of(page, color)
    box = page.locator(".chart canvas").first.bounding_box()
    tooltip = page.locator("#vg-tooltip-element.visible")
    for y, x in places[::15]:
        page.mouse.move(box["x"] + float(x), box["y"] + float(y))
        if tooltip.count() and wanted in tooltip.inner_text():
            return tooltip
    raise AssertionError("no tooltip")


def test_the_vega_bundle_cannot_end_its_element(fake_run):
    bundle = fake_run.results.path(VEGA).read_text()
    assert "vegaEmbed" in bundle
    assert "</script" not in bundle and "<!--" not in bundle and "\r" not in bundle


def test_the_summary_draws_all_its_charts(report, open_page):
    page = open_page(report.summary)
    charts = page.locator(".chart")
    assert charts.count() == len(report.results.keys(PROJECTION)) // 2 + len(charts_of("summary"))
    for number in range(charts.count()):
        assert charts.nth(number).locator("canvas, svg.marks").count() == 1
    assert page.locator(".failed").count() == 0


@pytest.mark.parametrize(
    "parts",
    [
        ("per_method", "mean", "tsne3d.html"),
        ("comparisons", "metric_bars.html"),
        ("comparisons", "category_heatmap.html"),
        ("comparisons", "pareto_frontier.html"),
        ("comparisons", "radar_chart.html"),
        ("maps.html",),
    ],
)
def test_pages_open_without_complaint(report, open_page, parts):
    page = open_page(report.page(*VAE, *parts))
    assert page.locator(".chart canvas, .chart svg.marks").count() >= 1
    assert page.locator(".failed").count() == 0


def test_a_hostile_label_is_text_and_the_image_is_shown_on_hover(report, open_page, hostile):
    page = open_page(report.page(*VAE, "per_method", "mean", "umap.html"))
    tooltip = hover(page, COLOR_OF_SIZE, hostile)
    assert tooltip.locator("img").count() == 1
    image = tooltip.locator("img")
    assert image.get_attribute("src").startswith("data:image/jpeg;base64,")
    assert image.evaluate("img => img.decode().then(() => img.naturalWidth)") == 64
    text = tooltip.inner_text()
    assert "sample_" in text and "Size" in text and "Is Region [0]" in text


def test_hostile_text_stays_text_in_the_summary_and_in_charts(report, open_page, hostile):
    page = open_page(report.summary)
    assert hostile in page.locator("#provenance pre").text_content()
    assert page.locator("img").count() == 0
    page.locator("a", has_text=CHARTS["category_heatmap"].title).first.click()
    page.wait_for_selector("html[data-drawn]")
    assert page.url.endswith("category_heatmap.html")
    assert page.locator("svg text", has_text=hostile).count() == 1


def test_the_legend_filters_by_mouse_and_by_keyboard(report, open_page):
    page = open_page(report.page(*VAE, "per_method", "mean", "umap.html"))
    said = page.locator(".legend output")
    assert said.inner_text() == "70 of 70 samples shown"
    before = len(pixels_of(page, COLOR_OF_SIZE))
    assert before > 100
    depth = page.locator("button[data-group='Depth']")
    depth.click()
    assert depth.get_attribute("aria-pressed") == "true"
    assert said.inner_text() == "12 of 70 samples shown"
    page.wait_for_timeout(100)
    assert len(pixels_of(page, COLOR_OF_SIZE)) == 0
    page.locator("button[data-group='Size']").focus()
    page.keyboard.press("Enter")
    assert said.inner_text() == "40 of 70 samples shown"
    page.wait_for_timeout(100)
    assert len(pixels_of(page, COLOR_OF_SIZE)) == before
    page.locator("button[data-all]").click()
    assert said.inner_text() == "70 of 70 samples shown"


def test_colours_change_between_label_group_and_trust(report, open_page):
    page = open_page(report.page(*VAE, "per_method", "mean", "umap.html"))
    legend = page.locator(".legend [data-scale=trust]")
    select = page.get_by_label("Colour by")
    doubtful, trusted = (0x69, 0x34, 0x76), (0xFD, 0xEC, 0x51)
    assert not legend.is_visible()
    assert len(pixels_of(page, doubtful)) == 0
    select.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(100)
    assert select.input_value() == "trust"
    assert legend.is_visible() and "below 0.6" in legend.inner_text()
    assert 30 < len(pixels_of(page, doubtful)) < len(pixels_of(page, trusted))
    assert "trust\t\n0.55" in hover(page, doubtful, "tall.choice").inner_text()
    page.locator("button[data-group='Depth']").click()
    page.wait_for_timeout(100)
    assert len(pixels_of(page, doubtful)) == 0 < len(pixels_of(page, trusted))
    select.select_option("group")
    page.wait_for_timeout(100)
    assert len(pixels_of(page, trusted)) == 0
    assert not legend.is_visible()


def test_colours_follow_an_annotation_and_its_values_filter(report, open_page):
    page = open_page(report.page(*VAE, "per_method", "mean", "umap.html"))
    select = page.get_by_label("Colour by")
    assert select.locator(":scope > option").all_inner_texts() == [
        *("label group", "trust", "label"),
        *("judged", "score", "annotation.title"),
    ]
    select.select_option(label="judged")
    legend = page.get_by_role("group", name="judged; click")
    buttons = legend.locator("button")
    assert buttons.all_inner_texts() == ["right 49", "wrong 11", "no value 10"]
    wrong = SECOND_COLOR
    page.wait_for_timeout(100)
    assert len(pixels_of(page, wrong)) > 100
    tooltip = hover(page, wrong, "Depth").inner_text()
    assert "judged\t\nwrong" in tooltip and "density percentile\t\n" in tooltip
    buttons.nth(0).press("Enter")
    said = page.locator(".legend output")
    assert said.inner_text() == "49 of 70 samples shown"
    page.locator("button[data-group='Size']").click()
    assert 0 < int(said.inner_text().split()[0]) < 49
    page.wait_for_timeout(100)
    assert len(pixels_of(page, wrong)) == 0
    page.locator("button[data-all]").click()
    assert said.inner_text() == "70 of 70 samples shown"


def test_markup_in_an_annotation_is_text(report, open_page):
    page = open_page(report.page(*VAE, "per_method", "mean", "umap.html"))
    page.get_by_label("Colour by").select_option(label="annotation.title")
    page.get_by_role("button", name="<b>bold</b> 1").click()
    page.wait_for_timeout(100)
    tooltip = hover(page, SECOND_COLOR, "sample_000")
    assert "<b>bold</b>" in tooltip.inner_text()
    assert tooltip.locator("b, h2, img").count() == 0


def test_points_are_larger_where_samples_are_rare_or_a_number_is_large(report, open_page):
    page = open_page(report.page(*VAE, "per_method", "mean", "umap.html"))
    size = page.get_by_label("Size by")
    areas = {}
    for by in ("", "rare", "density_percentile", "own:score", ""):
        size.select_option(by)
        page.wait_for_timeout(150)
        area = len(pixels_of(page, COLOR_OF_SIZE))
        assert areas.setdefault(by, area) == area
    # samples are in the order of their density, so that rare and dense mirror each other
    assert len(set(areas.values())) == 4


def test_numbers_colour_by_a_continuous_scale_and_filter(report, open_page):
    page = open_page(report.page(*VAE, "per_method", "mean", "umap.html"))
    select, said = page.get_by_label("Colour by"), page.locator(".legend output")
    scale = page.get_by_role("group", name="Scale of the numbers")
    assert not scale.is_visible()
    select.select_option(label="density percentile")
    page.wait_for_timeout(150)
    assert scale.is_visible()
    assert scale.locator(".low, .high").all_inner_texts() == ["0", "100"]
    dark, bright = (0x69, 0x34, 0x76), (0xFD, 0xEC, 0x51)
    assert len(pixels_of(page, dark)) > 10 and len(pixels_of(page, bright)) > 10
    page.get_by_label("show from").fill("50")
    page.wait_for_timeout(150)
    assert said.inner_text() == "35 of 70 samples shown"
    assert len(pixels_of(page, dark)) == 0
    page.get_by_label("to", exact=True).fill("60")
    assert said.inner_text() == "7 of 70 samples shown"
    page.locator("button[data-all]").click()
    assert said.inner_text() == "70 of 70 samples shown"
    # one score is far beyond all others: it does not squeeze them into one colour
    select.select_option(label="distance to the mean of the label")
    page.wait_for_timeout(150)
    low, high = scale.locator(".low, .high").all_inner_texts()
    assert high == "≥ 1" and float(low.removeprefix("≤ ")) < 0.05
    assert len(pixels_of(page, dark)) > 10 and len(pixels_of(page, bright)) > 10


def test_all_maps_of_a_page_change_their_colours(report, open_page):
    page = open_page(report.page(*VAE, "maps.html"))
    charts = page.locator(".chart canvas")
    before = [chart.screenshot() for chart in charts.all()]
    page.get_by_label("Colour by").select_option("trust")
    page.wait_for_timeout(200)
    assert all(a != chart.screenshot() for a, chart in zip(before, charts.all(), strict=True))
    page.get_by_label("Colour by").select_option("group")
    page.wait_for_timeout(200)
    assert [chart.screenshot() for chart in charts.all()] == before


def test_the_wheel_zooms(report, open_page):
    page = open_page(report.page(*VAE, "per_method", "mean", "umap.html"))
    canvas = page.locator(".chart canvas")
    before = canvas.screenshot()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(200)
    assert canvas.screenshot() != before


def column(page, number):
    return page.locator("#table tbody tr").evaluate_all(
        "(rows, n) => rows.map(row => row.cells[n].textContent)", number
    )


def test_the_table_sorts_by_mouse_and_by_keyboard(report, open_page):
    page = open_page(report.summary)
    header = page.locator("#table thead th", has_text="distance ratio")
    assert not header.is_visible()
    page.locator("[data-more]").check()
    number = header.evaluate("cell => cell.cellIndex")
    header.locator("button").click()
    values = [float(text) for text in column(page, number)]
    assert header.get_attribute("aria-sort") == "descending"
    assert values == sorted(values, reverse=True) and len(set(values)) > 3
    header.locator("button").press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert [float(text) for text in column(page, number)] == values[::-1]
    page.locator("#table thead th").first.locator("button").click()
    assert column(page, 0) == sorted(column(page, 0))
    assert header.get_attribute("aria-sort") is None


def test_every_label_has_its_row_whatever_it_is_called(report, open_page):
    page = open_page(report.page(*VAE, "comparisons", "category_heatmap.html"))
    labels = set(report.labels)
    assert {"constructor", "__proto__", "null", "undefined"} < labels
    cells = page.locator(".chart svg .mark-rect.role-mark path").all()
    # Nine methods and the best of the baseline.
    assert len(cells) == 10 * len(labels)
    boxes = [cell.bounding_box() for cell in cells]
    assert len({round(box["y"]) for box in boxes}) == len(labels)
    assert all(box["width"] > 20 and box["height"] > 10 for box in boxes)
    shown = page.locator(".chart svg .role-axis-label text").all_text_contents()
    assert {"constructor", "__proto__", "left[0]choice", 'it\'s "q" \\'} < set(shown)


@pytest.fixture
def dark_phone(browser):
    """Open a file on a narrow screen whose owner prefers dark pages."""
    context = browser.new_context(viewport={"width": 380, "height": 800}, color_scheme="dark")
    page = context.new_page()

    def open_file(path):
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]")
        return page

    yield open_file
    context.close()


def lightness(color):
    """From 0 (black) to 1, of a CSS colour rgb(r, g, b)."""
    return sum(map(int, re.findall(r"\d+", color)[:3])) / 765


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (*VAE, "per_method", "mean", "umap.html"),
        (*VAE, "comparisons", "metric_bars.html"),
        (*VAE, "comparisons", "radar_chart.html"),
        (*VAE, "comparisons", "pareto_frontier.html"),
    ],
)
def test_pages_fit_a_phone_and_are_light_on_dark(report, dark_phone, parts):
    page = dark_phone(report.page(*parts) if parts else report.summary)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    paper, ink = (
        page.evaluate(f"getComputedStyle(document.body).{name}")
        for name in ("backgroundColor", "color")
    )
    assert lightness(paper) < 0.15 and lightness(ink) > 0.8
    fills = page.locator(".chart svg .role-axis-label text").evaluate_all(
        "texts => texts.map(text => getComputedStyle(text).fill)"
    )
    assert all(lightness(fill) > 0.6 for fill in fills)
    # A chart is no wider than its place, unless its cells have a size of their own.
    overflow = page.locator(".plate").evaluate_all(
        "plates => Math.max(0, ...plates.map(one => one.scrollWidth - one.clientWidth))"
    )
    assert overflow <= 8
