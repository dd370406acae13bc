"""A person selects samples and asks what they have in common."""

import csv
import io
import json

import numpy as np
import pytest
from scipy.stats import false_discovery_control, hypergeom

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def drag(page, corners, modifier=None):
    if modifier:
        page.keyboard.down(modifier)
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=5)
    page.mouse.up()
    if modifier:
        page.keyboard.up(modifier)


def says(page, selector, text):
    """Wait until an element has a text, without the `eval` that the page forbids."""
    for _ in range(100):
        if text in page.locator(selector).inner_text():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{page.locator(selector).inner_text()} does not say {text}")


def selected(page):
    """Return the rows that the page's address keeps, read from the exported ids."""
    with page.expect_download() as download:
        page.get_by_text("Export JSON").click()
    content = json.loads(download.value.path().read_text())
    return {int(name.removeprefix("sample-")) for name in content["ids"]}


def windings(polygon, points):
    """Return how often a polygon goes round each point: another rule than the page's."""
    corners = np.array(polygon)[None] - points[:, None]
    angles = np.arctan2(corners[..., 1], corners[..., 0])
    turns = np.diff(np.concatenate([angles, angles[:, :1]], axis=1), axis=1)
    turns = (turns + np.pi) % (2 * np.pi) - np.pi
    return np.round(turns.sum(axis=1) / (2 * np.pi)).astype(int)


# Not convex, and cuts through clusters.
LASSO = [(300, 120), (640, 130), (620, 420), (480, 300), (450, 640), (330, 600)]


def test_the_lasso_takes_what_lies_inside_and_nothing_else(opened, site):
    page = opened()
    page.get_by_label("Select by lasso").click()
    drag(page, LASSO)
    places = site.on_screen(page, range(300))
    inside = set(np.flatnonzero(windings(LASSO, places)))
    assert 40 < len(inside) < 200
    assert selected(page) == inside
    square = [(700, 100), (900, 100), (900, 300), (700, 300)]
    more = set(np.flatnonzero(windings(square, places))) - inside
    drag(page, square, "Shift")
    says(page, ".selection h2 >> nth=0", f"{len(inside | more)} ")
    assert selected(page) == inside | more
    drag(page, square, "Alt")
    says(page, ".selection h2 >> nth=0", f"{len(inside)} ")
    assert selected(page) == inside


def drawn_above(page) -> int:
    """Return how many pixels are drawn above the points: rings, lines and the lasso."""
    return page.evaluate("""() => {
        const canvas = [...document.querySelectorAll('.stage canvas')].at(-1);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, i) => i % 4 === 3 && value > 0).length;
    }""")


def test_the_lasso_is_gone_once_it_has_selected(opened, sites):
    page = opened()
    page.get_by_label("Select by lasso").click()
    drag(page, LASSO)
    says(page, ".status", "of 300 selected")
    assert drawn_above(page) == 0


def test_a_ring_is_only_where_the_card_is(opened, site, sites, rest):
    page = opened()
    row = site.lone(page)
    x, y = site.on_screen(page, row)
    page.mouse.move(x, y)
    page.wait_for_selector(f".card[data-row='{row}']")
    # Another value is shown alone by the keyboard: the pointer stays where it is.
    other = "depth" if site.known["label"][row] != 0 else "height"
    page.locator(".legend .value", has_text=other).focus()
    page.keyboard.press("Enter")
    says(page, ".status", "shown")
    rest(page)
    assert page.locator(".card").is_hidden()
    assert drawn_above(page) == 0


def test_a_new_selection_takes_the_place_of_the_open_sample(opened, sites):
    page = opened("#row=7&key=0123456789abcdef")
    page.wait_for_selector(".detail[data-row='7']")
    page.get_by_label("Select by rectangle").click()
    drag(page, [(300, 150), (800, 700)])
    page.locator(".selection").wait_for()
    assert page.locator(".detail").is_hidden()
    count = len(selected(page))
    assert page.locator(".status").inner_text().startswith(f"{count} of 300 selected")
    page.get_by_text("← Sample").click()
    page.wait_for_selector(".detail[data-row='7']")
    assert page.locator(".selection").is_visible()


def seen_in_3d(places, extent, camera, stage):
    """Return where points lie on the screen, and how deep, by looking from the eye."""
    _, *target, reach, turn, tilt = camera
    low, high = np.array(extent).T
    points = (places - (low + high) / 2) / ((high - low).max() / 2)
    away = np.array([np.cos(tilt) * np.sin(turn), np.sin(tilt), np.cos(tilt) * np.cos(turn)])
    distance = reach / np.tan(np.deg2rad(20))
    eye = np.array(target) + distance * away
    right = np.cross([0, 1, 0], away)
    right /= np.linalg.norm(right)
    up = np.cross(away, right)
    depth = (eye - points) @ away
    scale = min(stage["width"], stage["height"]) / 2 / np.tan(np.deg2rad(20)) / depth
    x = stage["x"] + stage["width"] / 2 + (points - eye) @ right * scale
    y = stage["y"] + stage["height"] / 2 - (points - eye) @ up * scale
    return np.stack([x, y], axis=1), depth


def test_in_3d_the_lasso_takes_what_lies_behind_or_only_what_is_seen(opened, site, rest):
    camera = [3, 0.1, -0.1, 0, 1.6, 0.8, 0.3]
    page = opened(f"#map=tiny/plain/mean/umap3d&scale=3&camera={camera}")
    stage = page.locator(".stage").bounding_box()
    entry = next(e for e in site.known["manifest"]["maps"] if e["id"] == "tiny/plain/mean/umap3d")
    places, depth = seen_in_3d(
        site.known["places"]["mean", "umap3d"], entry["extent"], camera, stage
    )
    page.keyboard.press("l")
    drag(page, LASSO)
    inside = set(np.flatnonzero(windings(LASSO, places)))
    assert 30 < len(inside) < 250
    assert selected(page) == inside
    page.get_by_label("also what lies behind").uncheck()
    drag(page, LASSO)
    page.wait_for_timeout(300)
    seen = selected(page)
    assert seen < inside
    # What is left out has a nearer point in front of it, within a disc's width.
    for row in inside - seen:
        nearer = depth < depth[row]
        assert np.linalg.norm(places[nearer] - places[row], axis=1).min() < 40


def test_enrichment_is_hypergeometric_and_adjusted(opened, site, sites):
    label = site.known["label"]
    rows = np.flatnonzero(label == 0)[:20].tolist() + np.flatnonzero(label == 5)[:4].tolist()
    page = opened()
    page.locator("#query").fill("of region 1")
    page.keyboard.press("Enter")
    texts = [f"What is the {sites.LABELS[label[i]]} of region {i}?" for i in range(300)]
    rows = [i for i in range(5, 300) if "of region 1" in texts[i]]
    says(page, ".status", "shown")
    page.get_by_text("Select the").click()
    assert selected(page) >= set(rows)
    rows = sorted(selected(page))
    found = {}
    folded = page.locator(".selection summary", has_text="not beyond chance")
    folded.click()
    for line in page.locator(".selection tbody tr").all():
        cells = line.locator("td").all()
        value, column = cells[0].locator("bdi").all_text_contents()
        found[column, value] = [cell.inner_text() for cell in cells[1:]]
    columns = {"label": label, "prediction": (label + 1) % 8}
    wanted = {
        (name, sites.LABELS[value]): (
            (values[rows] == value).sum(),
            hypergeom.sf(
                (values[rows] == value).sum() - 1, 300, (values == value).sum(), len(rows)
            ),
        )
        for name, values in columns.items()
        for value in range(8)
        if (values[rows] == value).any()
    }
    for key, (seen, _) in wanted.items():
        assert int(found[key][0]) == seen
    raw = [p for _, p in wanted.values()]
    # Two values of `split` are adjusted with them.
    assert len(found) == len(wanted) + 2
    smallest = min(false_discovery_control(raw))
    said = [float(cells[2].removeprefix("<")) for cells in found.values()]
    assert said[0] == min(said) and said[0] == pytest.approx(smallest, rel=0.35, abs=1e-4)
    assert folded.inner_text().startswith(f"{sum(p >= 0.05 for p in said)} other")


def test_where_nothing_is_frequent_the_panel_says_so(opened, site, sites):
    label = site.known["label"]
    rows = np.arange(7, 300, 10)  # labels lie side by side, so that each has its share of these
    assert all(
        hypergeom.sf((label[rows] == value).sum() - 1, 300, (label == value).sum(), 30) > 0.1
        for value in range(8)
    )
    page = opened()
    page.locator("#query").fill("7?")
    page.keyboard.press("Enter")
    says(page, ".status", "30 of 300 shown")
    page.get_by_text("Select the 30 shown").click()
    says(page, ".selection section >> nth=0", "Nothing differs beyond chance")
    assert not page.locator(".selection table").first.is_visible()
    page.locator(".selection summary", has_text="not beyond chance").click()
    assert page.locator(".selection table").first.is_visible()


def test_legend_filter_and_search_leave_the_others_grey(opened, site, sites, rest):
    page = opened()
    label = site.known["label"]
    values = page.locator(".legend .value")
    places = values.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
    values.filter(has_text="depth").click()  # alone
    depth = set(np.flatnonzero(label == 0))
    says(page, ".status", f"{len(depth)} of 300")
    page.get_by_text("Select the").click()
    assert selected(page) == depth
    row = site.lone(page)
    if label[row] != 0:
        page.mouse.move(*site.on_screen(page, row))
        assert page.locator(".card").is_hidden()  # grey points do not answer
    page.keyboard.press("Escape")
    # No row has moved: a second press on the same place shows all again.
    assert places == values.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
    values.filter(has_text="depth").click()
    says(page, ".status", "300 samples")
    page.locator(".legend li", has_text="height").hover()
    page.get_by_label("Hide height").click()
    height = (label == 1).sum()
    says(page, ".status", f"{300 - height} of 300")
    page.get_by_text("Show all").click()
    values.filter(has_text="depth").click()
    values.filter(has_text="height").click(modifiers=["Shift"])
    says(page, ".status", f"{len(depth) + height} of 300")
    page.get_by_text("Show all").click()
    page.locator("#filter").select_option(label="weight")
    page.get_by_label("weight from").fill("0")
    page.get_by_label("weight from").press("Tab")
    positive = set(np.flatnonzero(site.known["number"] >= 0))
    says(page, ".status", f"{len(positive)} of 300")
    page.get_by_text("Select the").click()
    assert selected(page) == positive
    page.get_by_label("Remove the filter on weight").click()
    page.keyboard.press("/")
    page.keyboard.type("SAMPLE-00029")
    page.keyboard.press("Enter")
    says(page, ".status", "10 of 300")


def test_the_address_keeps_what_was_chosen(opened, site, rest):
    page = opened()
    page.keyboard.press("]")
    page.keyboard.press("3")
    page.locator("#color").select_option(label="weight")
    page.locator("#size").select_option(label="weight")
    page.locator("#scale").press("ArrowRight")
    page.wait_for_selector(".stage[data-map='tiny/plain/std/umap3d']")
    page.keyboard.press("Escape")
    page.get_by_label("Select by rectangle").click()
    drag(page, [(300, 150), (800, 700)])
    chosen = selected(page)
    assert chosen
    page.wait_for_timeout(400)
    assert "rows=" in page.url
    address = page.url.partition("#")[2]
    again = opened(f"#{address}")
    again.wait_for_selector(".stage[data-map='tiny/plain/std/umap3d']")
    assert selected(again) == chosen
    assert again.locator("#color option:checked").inner_text() == "weight"
    assert again.locator("#size option:checked").inner_text() == "weight"
    assert again.locator("#scale").input_value() == page.locator("#scale").input_value()
    # Rows of other samples are not taken for these.
    other = opened(f"#{address.replace('0123456789abcdef', 'f' * 16)}")
    assert other.locator(".selection").is_hidden()


def test_ids_are_exported_as_csv(opened, sites):
    page = opened()
    page.get_by_label("Select by rectangle").click()
    drag(page, [(300, 150), (800, 700)])
    with page.expect_download() as download:
        page.get_by_text("Export CSV").click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert lines and all(line["id"] == sites.name(int(line["row"])) for line in lines)
    assert {int(line["row"]) for line in lines} == selected(page)


def test_other_embeddings_say_whether_the_selection_is_together(opened, site):
    page = opened()
    page.locator(".legend .value", has_text="depth").click()
    page.get_by_text("Select the").click()
    page.get_by_text("Ask all embeddings").click()
    page.wait_for_selector("text=in each embedding")
    shares = page.locator(".selection section:last-of-type td.number").all_inner_texts()
    assert shares == ["100\N{NO-BREAK SPACE}%"] * 2  # neighbors were planted within labels
