"""The panel of a sample that is opened on a map."""

import json

import pyarrow as pa
import pytest

from latentmap.report.assets import bundle, write_page_files
from latentmap.report.pictures import write_picture_names
from latentmap.samples.annotations import AnnotationOptions, join_annotations
from latentmap.store import results as book
from latentmap.store.tables import read_arrow, read_parquet, write_arrow

pytestmark = pytest.mark.browser

KEY = ("tiny-vae", "plain", "mean")
LONG = "A reason of many words. " * 40
TURNED = "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
HUGE = 1_000_000


@pytest.fixture(scope="module")
def run(fake_run, tmp_path_factory):
    """A run whose samples have long, hostile and turned texts, answers and rationales."""
    small = {**fake_run.facts.config["report"], "pictures": 200}
    run = fake_run.copy(tmp_path_factory.mktemp("panel"), report=small)
    for path in run.samples:
        table = read_arrow(path)
        count = len(table)
        texts = [f"{SCRIPT}{TURNED}\n" + "x" * HUGE] + [
            f"{SCRIPT} prompt {n}" for n in range(count - 1)
        ]
        place = table.column_names.index("text")
        table = table.set_column(place, "text", pa.array(texts, pa.string()))
        for name in ("chosen", "rejected"):
            table = table.append_column(name, pa.array([f"{name}: {LONG}{SCRIPT}"] * count))
        place = table.column_names.index("boxes")
        boxes = pa.array([[[80.0, 60.0, 160.0, 240.0]]] * count, table.schema.field(place).type)
        table = table.set_column(place, "boxes", boxes)
        table = table.append_column("src", pa.array(["hh-rlhf"] * count))
        write_arrow(path, table)
    said = [json.dumps({"score": 4, "rationale": LONG + SCRIPT}).replace('"', '""')] * 60
    rows = [f'{sample},"{one}"' for sample, one in zip(run.ids, said, strict=False)]
    (run.folder / "mis.csv").write_text("\n".join(["id,rationale", *rows]))
    options = AnnotationOptions(path=str(run.folder / "mis.csv"))
    join_annotations([options], run.samples, run.annotations)
    write_page_files(run.results)
    write_picture_names(run.results)
    for kind in ("method_maps", "nearest_neighbors"):
        run.write(kind, *KEY[: 3 if kind == "method_maps" else 2])
    return run


def map_page(run):
    return run.page(*KEY[:2], "per_method", KEY[2], "umap.html")


def click_a_point(page):
    """Click a point of the map, and return the panel once all of the sample is there."""
    canvas = page.locator(".chart canvas").first
    box = canvas.bounding_box()
    panel = page.locator(".sample-panel")
    for y in range(20, int(box["height"]) - 20, 9):
        for x in range(20, int(box["width"]) - 20, 9):
            page.mouse.move(box["x"] + x, box["y"] + y)
            if page.locator("#vg-tooltip-element.visible").count():
                page.mouse.click(box["x"] + x, box["y"] + y)
                panel.locator("dt", has_text="source group").wait_for()
                return panel
    raise AssertionError("no point")


def test_a_click_opens_all_of_a_sample_and_neighbors_lead_on(run, open_page):
    page = open_page(map_page(run))
    panel = click_a_point(page)
    sample = panel.locator("code").inner_text()
    row = run.ids.index(sample)
    assert panel.get_by_role("heading", level=2).inner_text() == run.labels[row]
    picture = panel.locator(".sample-frame > img")
    assert "assets/pictures/" in picture.get_attribute("src")
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 200
    box, frame = (panel.locator(one).bounding_box() for one in (".box-layer rect", ".sample-frame"))
    assert (box["x"] - frame["x"]) / frame["width"] == pytest.approx(0.25, abs=0.03)
    assert box["width"] / frame["width"] == pytest.approx(0.25, abs=0.05)
    assert panel.locator(".box-name").inner_text() == "[0]"
    panel.get_by_role("button", name="Hide or show the boxes").click()
    assert panel.locator(".box-layer").is_hidden()
    told = panel.inner_text()
    for name in ("chosen", "rejected"):
        assert f"{name}: {LONG}{SCRIPT}" in told, "answers are whole"
    if row < 60:
        assert LONG + SCRIPT in panel.locator("h3:has-text('rationale.rationale') + p").inner_text()
    assert panel.locator("dt:text-is('src') + dd").inner_text() == "hh-rlhf"
    assert panel.locator("dt:text-is('source group') + dd").inner_text() == f"image {row // 3}"
    assert panel.locator("dt:text-is('density percentile') + dd").count() == 1
    assert panel.locator("script, b, .sample-body img[onerror]").count() == 0
    neighbors = panel.locator(".sample-neighbors button")
    assert neighbors.count() == 8
    first = neighbors.first
    assert "distance" in first.inner_text()
    first.click()
    assert panel.locator("code").inner_text() != sample


@pytest.fixture(scope="module")
def few_shown(run, tmp_path_factory):
    """The same run with 7 samples on each map, and scores both of the samples and annotated."""
    report = {**run.facts.config["report"], "max_points": 7}
    few = run.copy(tmp_path_factory.mktemp("few"), report=report)
    for path in few.samples:
        table = read_arrow(path)
        scores = pa.array([str(row % 3) for row in range(len(table))])
        turns = [f"{{'messages': {text}}}" for text in table["text"].to_pylist()]
        write_arrow(path, table.append_column("score", scores).append_column("prefix", [turns]))
    rows = [f"{sample},{row // 10 % 2}" for row, sample in enumerate(few.ids)]
    (few.folder / "score.csv").write_text("\n".join(["id,score", *rows]))
    options = AnnotationOptions(path=str(few.folder / "score.csv"))
    join_annotations([options], few.samples, few.annotations)
    write_page_files(few.results)
    few.write("method_maps", *KEY)
    return few


def test_neighbors_that_are_not_on_the_map_are_named(few_shown, open_page):
    page = open_page(map_page(few_shown))
    page.get_by_role("button", name="Open a sample").click()
    panel = page.locator(".sample-panel")
    panel.locator("dt").first.wait_for()
    row = few_shown.ids.index(panel.locator("code").inner_text())
    graph = read_parquet(few_shown.results.path(book.NEIGHBORS, *KEY))
    nearest = [few_shown.ids[other] for other in graph["indices"][row].as_py()[:8]]
    items = panel.locator(".sample-neighbors li")
    assert items.count() == 8
    shown = set(range(0, 70, 10))
    for item, name in zip(items.all(), nearest, strict=True):
        on_map = few_shown.ids.index(name) in shown
        assert item.locator("button").count() == on_map
        if not on_map:
            assert item.inner_text().startswith(name) and "not on this map" in item.inner_text()


def test_each_column_is_offered_once_as_colour_and_none_that_is_the_text(few_shown, open_page):
    page = open_page(map_page(few_shown))
    offered = page.locator("[data-coloring] option").all_inner_texts()
    assert len(set(offered)) == len(offered)
    assert {"score", "own.score"} <= set(offered)
    assert "prefix" not in offered
    page.locator("[data-sizing]").select_option(label="own.score")


def test_the_panel_is_used_by_keyboard_and_closed_by_escape(run, open_page):
    page = open_page(map_page(run))
    opener = page.get_by_role("button", name="Open a sample")
    before = page.locator(".chart canvas").screenshot()
    opener.press("Enter")
    panel = page.locator(".sample-panel")
    panel.locator("dt").first.wait_for()
    assert panel.locator("code").inner_text() == "sample_000"
    assert page.locator(".chart canvas").screenshot() != before, "the point is marked"
    page.keyboard.press("ArrowRight")
    assert panel.locator("code").inner_text() == "sample_001"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert panel.locator("code").inner_text() == "sample_069"
    find = panel.get_by_role("searchbox")
    find.fill("prompt 33")
    find.press("Enter")
    assert panel.locator("code").inner_text() == "sample_034"
    find.fill("no sample says this")
    find.press("Enter")
    assert panel.locator("code").inner_text() == "sample_034"
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    assert opener.evaluate("one => one === document.activeElement")


def test_hostile_text_stays_text_and_a_long_one_is_a_click_away(run, open_page):
    page = open_page(map_page(run))
    page.get_by_role("button", name="Open a sample").click()
    panel = page.locator(".sample-panel")
    more = panel.get_by_role("button", name="more characters")
    more.wait_for()
    text = panel.locator(".told-text").first
    assert len(text.text_content()) == 20_000
    assert text.text_content().startswith(SCRIPT + TURNED)
    assert text.get_attribute("dir") == "auto"
    more.click()
    assert len(text.text_content()) == len(SCRIPT + TURNED) + 1 + HUGE
    assert more.count() == 0
    assert panel.locator("script").count() == 0


def test_the_panel_leaves_a_phone_its_map(run, browser):
    context = browser.new_context(viewport={"width": 380, "height": 800}, color_scheme="dark")
    page = context.new_page()
    page.goto(map_page(run).as_uri())
    page.wait_for_selector("html[data-drawn]")
    page.get_by_role("button", name="Open a sample").click()
    panel = page.locator(".sample-panel")
    panel.locator("dt").first.wait_for()
    box = panel.bounding_box()
    assert box["width"] <= 380 and 400 < box["height"] < 600 and box["y"] + box["height"] == 800
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert panel.locator(".sample-body").evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    panel.get_by_role("button", name="Close").click()
    assert panel.is_hidden()
    context.close()


def test_a_bundled_page_opens_samples_without_any_other_file(run, browser, tmp_path):
    alone = tmp_path / "alone.html"
    alone.write_text(bundle(map_page(run)))
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(alone.as_uri())
    page.wait_for_selector("html[data-drawn]")
    page.get_by_role("button", name="Open a sample").click()
    panel = page.locator(".sample-panel")
    page.keyboard.press("ArrowRight")
    panel.locator("dt:text-is('src')").wait_for()
    assert panel.locator(".sample-frame > img").get_attribute("src").startswith("data:image/jpeg")
    assert [url for url in asked if not url.startswith("data:")] == [alone.as_uri()]
    page.close()


def test_samples_of_pairs_are_opened(run, open_page):
    page = open_page(run.page(*KEY[:2], "deep_dive", "nearest_neighbors.html"))
    button = page.locator(".pairs [data-open]").first
    sample = button.inner_text()
    button.click()
    panel = page.locator(".sample-panel")
    panel.locator("dt:text-is('src')").wait_for()
    assert panel.locator("code").inner_text() == sample
