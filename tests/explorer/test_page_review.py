"""A reviewer marks, tags and comments samples, and keeps what was noted."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow]

KEY = "key=0123456789abcdef"


def open_row(page, site, row):
    page.goto("about:blank")
    page.goto(f"{site.url}#row={row}&{KEY}")
    page.wait_for_selector(f".detail[data-row='{row}']")


def exported(page):
    with page.expect_download() as download:
        page.get_by_text("Export notes").click()
    return list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))


def test_notes_stay_are_exported_and_come_back(opened, site, sites, tmp_path):
    page = opened()
    page.get_by_label("Reviewer").fill("Ada, née Byron")
    page.get_by_label("Reviewer").press("Tab")
    open_row(page, site, 7)
    page.keyboard.press("m")
    page.get_by_label("Comment").fill(f'two "quoted"\nlines, {sites.HOSTILE}')
    page.get_by_label("Comment").press("Tab")
    open_row(page, site, 9)
    page.get_by_label("Tags").fill("blurred, dark")
    page.get_by_label("Tags").press("Tab")
    open_row(page, site, 7)
    assert page.get_by_label("Marked").is_checked()
    notes = exported(page)
    assert [note["id"] for note in notes] == [sites.name(7), sites.name(9)]
    assert notes[0]["review_mark"] == "yes" and notes[1]["review_mark"] == "no"
    assert notes[0]["review_comment"] == f'two "quoted"\nlines, {sites.HOSTILE}'
    assert notes[1]["review_tags"] == "blurred, dark"
    assert {note["reviewer"] for note in notes} == {"Ada, née Byron"}
    age = datetime.now(UTC) - datetime.fromisoformat(notes[0]["reviewed_at"])
    assert timedelta(0) <= age < timedelta(minutes=5)
    page.get_by_text("Select noted").click()
    assert page.locator(".selection h2").first.inner_text().startswith("2 ")

    # In another browser, notes of a file are taken, and the later one of two stays.
    path = tmp_path / "notes.csv"
    lines = io.StringIO()
    writer = csv.DictWriter(lines, notes[0].keys())
    writer.writeheader()
    writer.writerows([*notes, {**notes[0], "review_comment": "old", "reviewed_at": "2001-01-01"}])
    path.write_text(lines.getvalue(), "utf-8")
    other = opened()
    other.locator("input[type=file]").set_input_files(path)
    other.wait_for_selector("text=2 notes taken")
    assert exported(other) == notes
    path.write_text("a,b\n1,2\n")
    other.locator("input[type=file]").set_input_files(path)
    assert "needs the columns id" in other.locator(".failure").inner_text()


def test_the_map_is_saved_as_a_picture(opened, sites):
    page = opened()
    page.locator("#opacity").press("End")
    with page.expect_download() as download:
        page.get_by_text("Save PNG").click()
    picture = Image.open(download.value.path()).convert("RGB")
    stage = page.locator(".stage").bounding_box()
    assert picture.size == (round(stage["width"]), round(stage["height"]))
    colors = {f"#{bytes(color).hex().upper()}" for _, color in picture.getcolors(2**20)}
    assert set(sites.PALETTE["categories"]) <= colors
    assert re.fullmatch(r".*\.png", download.value.suggested_filename)
