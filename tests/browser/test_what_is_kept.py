"""The page of what is kept, as a person uses it."""

import pytest

from latentmap.report.assets import write_page_files

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def written(targeted_run):
    write_page_files(targeted_run.results)
    targeted_run.write("summary")
    targeted_run.write("what_is_kept")
    targeted_run.write("method_maps", "tiny-vae", "plain", "patch4")
    return targeted_run


@pytest.fixture
def page(written, open_page):
    return open_page(written.report / "comparisons" / "what_is_kept.html")


def names(page, part=1):
    """The methods of one part of the table, from top to bottom."""
    return page.locator(f".kept tbody:nth-of-type({part}) tr:not(.part) th").all_inner_texts()


def dots(page, chart):
    """What is told of the dots of a chart, for screen readers."""
    found = page.locator(f"#{chart} .mark-symbol path[aria-label]")
    return [dot.get_attribute("aria-label") for dot in found.all()]


def test_a_click_on_a_target_ranks_its_methods_in_table_and_chart(page):
    before = names(page)
    page.get_by_role("button", name="label", exact=True).click()
    assert sorted(names(page)) == sorted(before) and names(page) != before
    page.get_by_role("button", name="Colour", exact=True).click()
    # The colour is kept a little less from method to method, in each part of the table.
    assert names(page) == names(page, 2)
    assert names(page)[0] == "mean" and names(page)[-1] == "range"
    assert page.locator("#ranking select").input_value() == "4"
    page.wait_for_timeout(300)
    told = dots(page, "ranking")
    assert any("kept: 0.5; embedding: mean (plain)" in text for text in told)
    assert not page.locator("th[aria-sort]").all()[1:]


def test_a_click_on_a_number_shows_its_predictions(page):
    page.get_by_role("button", name="Clock direction", exact=True).click()
    page.wait_for_function("document.querySelectorAll('#calibration select')[0].value === '3'")
    page.wait_for_function("document.querySelector('#ranking').getBoundingClientRect().y < 900")


def test_a_click_on_a_method_shows_its_profile(page):
    page.locator(".kept").get_by_role("button", name="patch8", exact=True).first.click()
    page.wait_for_function(
        "document.querySelector('#profile select').selectedOptions[0].text === 'patch8'"
    )
    told = dots(page, "profile")
    assert len(told) == 5 * 4  # targets, by encoders and variants
    assert all("kept: " in text for text in told)


def test_a_map_takes_the_colours_of_a_target(written, open_page):
    page = open_page(written.page("tiny-vae", "plain", "per_method", "patch4", "umap.html"))
    for key in ("own:Centre of the box, x", "residual:clock"):
        page.select_option("[data-coloring]", key)
        assert page.locator("[data-measured]").is_visible()
    assert page.locator(".scale .low").inner_text() == "−20".replace("−", "-")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 800, 380])
def test_nothing_is_wider_than_the_screen(written, browser, width, scheme):
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        is_mobile=width < 500,
        has_touch=width < 500,
    )
    page = context.new_page()
    for path in (written.summary, written.report / "comparisons" / "what_is_kept.html"):
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # The names of methods stay where they are while targets move past them.
        box = page.locator("#kept .scroll")
        box.evaluate("element => { element.scrollLeft = 200; element.scrollTop = 300; }")
        left = box.bounding_box()["x"]
        assert abs(page.locator(".kept tbody tr th").last.bounding_box()["x"] - left) < 3
    context.close()
