"""A person holds the explorer in the hand: there is no pointer that hovers."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(opened, rest):
    page = opened(has_touch=True, is_mobile=True)
    page.set_viewport_size({"width": 380, "height": 800})
    rest(page)
    return page


def test_a_value_is_shown_alone_by_a_tap(phone, site, sites):
    phone.locator(".legend .value", has_text="depth").tap()
    count = (site.known["label"] == 0).sum()
    phone.wait_for_selector(f".status:has-text('{count} of 300 shown')")
    also = phone.get_by_label("Show height")
    assert also.evaluate("one => getComputedStyle(one).opacity") == "1"
    also.tap()
    count += (site.known["label"] == 1).sum()
    phone.wait_for_selector(f".status:has-text('{count} of 300 shown')")
    phone.get_by_text("Show all").tap()
    phone.wait_for_selector(".status:has-text('300 samples')")


def test_all_that_a_wide_page_shows_is_there(phone, sites):
    assert "k-NN accuracy: 0.71 [0.6, 0.8], chance 0.125" in phone.locator(".status").inner_text()
    for text in ("Copy link", "Save PNG"):
        box = phone.get_by_text(text).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 380
    assert phone.locator("h1").is_visible()
    assert "Tap" in phone.locator(".hint").inner_text()
    phone.get_by_role("button", name="Help").tap()
    assert "Pinch" in phone.locator("dialog").inner_text()
