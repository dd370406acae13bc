"""What others say of samples is read, cut off and reviewed, and notes come back as annotations."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentmap.samples.annotations import AnnotationOptions, join_annotations
from latentmap.store import results as book

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted

pytestmark = pytest.mark.browser

COUNT = 90
BROKEN = '{"score": 0.9, "why": '
"""Of a model that stopped in the middle: it stays a text."""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Every third prediction is wrong, every tenth sample has none, scores ascend."""
    planted = Planted(tmp_path_factory.mktemp("runs") / "told", count=COUNT, dims={"umap": 2})
    planted.write()
    names = [f"label {label}" for label in planted.labels]
    others = [
        names[(row + 1) % COUNT] + ("" if names[row] != names[(row + 1) % COUNT] else "?")
        for row in range(COUNT)
    ]
    planted.annotations = {
        "prediction": [
            None if row % 10 == 0 else others[row] if row % 3 == 0 else names[row]
            for row in range(COUNT)
        ],
        "rationale.score": [None if row % 10 == 0 else str(row / 100) for row in range(COUNT)],
        "rationale": [BROKEN if row == 5 else None for row in range(COUNT)],
        "rationale.reason": [
            f"Because {'of the light ' * 9}in picture {row}." for row in range(COUNT)
        ],
    }
    return planted


@pytest.fixture(scope="module")
def viewed(planted, explored):
    return explored(planted)


@pytest.fixture
def shown(browser, viewed, planted, rest):
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    key = json.loads((planted.folder / "explorer" / "manifest.json").read_text())["key"]

    def show(row=None):
        page.goto("about:blank")
        page.goto(viewed if row is None else f"{viewed}#row={row}&key={key}")
        rest(page)
        return page

    yield show
    page.close()


def test_predictions_are_right_or_wrong_where_they_name_labels(planted, viewed):
    folder = planted.folder / "explorer"
    manifest = json.loads((folder / "manifest.json").read_text())
    columns = {entry["id"]: entry for entry in manifest["columns"]}
    assert {name for name in columns if name.startswith("verdict::")} == {"verdict::prediction"}
    entry = columns["verdict::prediction"]
    values = pa.ipc.open_file(folder / entry["file"]).read_all()["value"].to_pylist()
    assert values == [
        None if row % 10 == 0 else "wrong" if row % 3 == 0 else "right" for row in range(COUNT)
    ]


def test_what_is_said_of_a_sample_stands_by_itself(shown):
    page = shown(6)
    section = page.locator(".detail section", has_text="Annotations").first
    facts = dict(
        zip(
            section.locator("dt").all_inner_texts(),
            section.locator("dd").all_inner_texts(),
            strict=True,
        )
    )
    assert facts["prediction: right or wrong"] == "✗ wrong"
    assert facts["rationale.score"].startswith("0.06 (higher than")
    assert section.locator(".message h3").all_inner_texts() == ["rationale.reason"]
    assert section.locator(".message .long").inner_text().endswith("in picture 6.")
    page = shown(5)
    section = page.locator(".detail section", has_text="Annotations").first
    assert section.locator("dd", has_text=BROKEN).count() == 1  # a broken row is told as it is
    assert "✓ right" in section.inner_text()


def test_scores_are_cut_off_and_misclassified_samples_reviewed_one_by_one(shown):
    page = shown()
    page.get_by_text("Filter by annotations").click()
    page.locator(".cut .chip", has_text="wrong").click()
    wrong = [row for row in range(COUNT) if row % 3 == 0 and row % 10]
    page.locator(".status", has_text=f"{len(wrong)} of {COUNT} shown").wait_for()
    slider = page.get_by_label("rationale.score at least")
    slider.fill("0.5")
    wrong = [row for row in wrong if row / 100 >= float(slider.input_value()) - 1e-6]
    assert 5 < len(wrong) < 20
    page.locator(".status", has_text=f"{len(wrong)} of {COUNT} shown").wait_for()
    page.get_by_text(f"Select the {len(wrong)} shown").click()
    page.get_by_role("button", name="Review these").click()
    page.wait_for_selector(f".detail[data-row='{wrong[0]}']")
    assert page.locator(".aside").evaluate("one => one.scrollTop") == 0
    page.keyboard.press("n")
    page.wait_for_selector(f".detail[data-row='{wrong[1]}']")
    assert page.locator(".detail .place").inner_text() == f"2 of {len(wrong)}"
    page.keyboard.press("p")
    page.get_by_label("Previous of the selection").click()
    page.wait_for_selector(f".detail[data-row='{wrong[-1]}']")
    page.locator(".cut .chip", has_text="wrong").click()
    slider.fill("0")
    page.locator(".status", has_text=f"{COUNT - len(wrong)} ").wait_for(state="detached")
    assert page.locator(".filter").count() == 0


def test_notes_come_back_as_annotations(shown, planted, tmp_path):
    page = shown(7)
    page.get_by_label("Reviewer").fill("Ada, née Byron")
    page.get_by_label("Reviewer").press("Tab")
    page.keyboard.press("m")
    comment = 'two "quoted"\nlines; =1+1, <b>\u202e'
    page.get_by_label("Comment").fill(comment)
    page.get_by_label("Comment").press("Tab")
    with page.expect_download() as download:
        page.get_by_text("Export notes").click()
    path = tmp_path / "reviews.csv"
    download.value.save_as(path)
    shards = planted.results.paths(book.SAMPLES)
    join_annotations([AnnotationOptions(path=str(path))], shards, tmp_path / "joined.parquet")
    table = pq.read_table(tmp_path / "joined.parquet")
    (row,) = [row for row in table.to_pylist() if row["review_mark"] is not None]
    assert row["id"] == "sample-000007" and row["review_mark"] == "yes"
    assert row["review_comment"] == comment
    assert row["reviewer"] == "Ada, née Byron"
    assert row["reviewed_at"].endswith("Z")
