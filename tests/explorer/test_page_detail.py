"""A person clicks a sample, reads what is known of it, and walks from neighbor to neighbor."""

import pytest

pytestmark = pytest.mark.browser


def open_row(opened, row):
    page = opened(f"#row={row}&key=0123456789abcdef")
    page.wait_for_selector(f".detail[data-row='{row}']")
    return page


def test_a_click_opens_the_sample_with_picture_text_and_all_columns(opened, site, sites):
    page = opened()
    row = site.lone(page)
    page.mouse.click(*site.on_screen(page, row))
    page.wait_for_selector(f".detail[data-row='{row}']")
    detail = page.locator(".detail")
    picture = detail.locator(".picture img")
    assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == 256
    label = sites.LABELS[site.known["label"][row]]
    assert detail.locator(".text").inner_text() == f"What is the {label} of region {row}?"
    facts = dict(
        zip(
            detail.locator("dt").all_text_contents(),
            detail.locator("dd").all_text_contents(),
            strict=True,
        )
    )
    assert facts["id"] == sites.name(row) and facts["label"] == label
    assert {"split", "weight", "prediction", "Density", "Trust"} <= facts.keys()
    box = detail.locator("svg rect")
    assert box.get_attribute("x") == "16" and box.get_attribute("height") == "160"
    detail.get_by_label("1 box").uncheck()
    assert box.is_hidden()


def test_boxes_have_the_names_and_colours_of_the_thumbnails(opened, sites):
    page = open_row(opened, sites.THREE_BOXES)
    names = page.locator(".detail .region")
    assert names.all_inner_texts() == ["Region [0] [2]", "Region [1]"]
    look = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]"
    white, red, blue = "rgb(255, 255, 255)", "rgb(255, 0, 0)", "rgb(0, 0, 255)"
    assert [name.evaluate(look) for name in names.all()] == [[red, "rgb(0, 0, 0)"], [blue, white]]
    drawn = page.locator(".detail svg rect")
    assert drawn.evaluate_all("all => all.map((one) => getComputedStyle(one).stroke)") == [
        red,
        blue,
    ]
    page.get_by_label("3 boxes").uncheck()
    assert names.first.is_hidden()


def test_neighbors_are_those_of_the_embedding_and_lead_on_and_back(opened, site, sites):
    label = site.known["label"]
    row = int((label == 2).argmax())
    page = open_row(opened, row)
    tiles = page.locator(".detail .tile")
    assert [tile.get_attribute("data-row") for tile in tiles.all()] == [
        str(row + i) for i in (1, 2, 3, 4)
    ]
    assert tiles.locator(".below").all_inner_texts() == ["0.1", "0.2", "0.3", "0.4"]
    assert page.locator(".tile.outlined").count() == 1  # the next row is of the same source
    assert tiles.first.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)")
    tiles.nth(1).click()
    page.wait_for_selector(f".detail[data-row='{row + 2}']")
    page.locator(".detail .tile").first.click()
    page.wait_for_selector(f".detail[data-row='{row + 3}']")
    page.keyboard.press("Backspace")
    page.wait_for_selector(f".detail[data-row='{row + 2}']")
    page.keyboard.press("Backspace")
    page.wait_for_selector(f".detail[data-row='{row}']")
    page.keyboard.press("]")  # the other embedding has other neighbors, and the sample stays
    last = int((label == 2).nonzero()[0][-1])
    page.wait_for_selector(f".detail .tile[data-row='{last}']")
    page.keyboard.press("Escape")
    assert page.locator(".detail").is_hidden()


def test_nothing_of_the_data_becomes_markup(opened, sites):
    page = open_row(opened, 1)
    assert page.locator(".detail .text").inner_text() == sites.HOSTILE
    assert page.locator("dd", has_text="javascript:alert(1)").count() == 1
    page = open_row(opened, 2)
    long = page.locator(".detail .text")
    assert len(long.inner_text()) < 25_000
    long.get_by_text("Show all 1,000,000 characters").click()
    assert len(long.text_content()) == 1_000_000
    page = open_row(opened, 4)
    messages = page.locator(".message")
    assert messages.locator("h3").all_inner_texts() == ["user", "assistant"]
    assert messages.first.locator(".long").inner_text() == sites.HOSTILE
    assert page.locator("body script:not([src]), img[onerror], a[href]").count() == 0
