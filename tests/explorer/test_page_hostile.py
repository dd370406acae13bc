"""Data says what it likes: it stays text, wherever a person meets it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COUNT = 40
SCRIPT = "<script>alert(1)</script>"
HANDLER = '"><img src=x onerror=alert(2)>'
LINK = "javascript:alert(3)"
DRAWING = "<svg onload=alert(4)><foreignObject><body onload=alert(5)></svg>"
MARKS = "\u202egnp.exe\u2066\u200f"
HOSTILE = [
    SCRIPT,
    HANDLER,
    LINK,
    DRAWING,
    MARKS,
    "__proto__",
    "constructor",
    "</script>",
    "\u0001\ufffe",
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    planted = Planted(tmp_path_factory.mktemp("runs") / "odd", count=COUNT, dims={"umap": 2})
    some = [HOSTILE[row % len(HOSTILE)] for row in range(COUNT)]
    planted.columns = dict.fromkeys(HOSTILE, some)
    planted.columns["long"] = [
        f"{SCRIPT} {'x' * 1_000_000}" if row == 3 else "short" for row in range(COUNT)
    ]
    planted.annotations = {f"note {name}": some for name in HOSTILE} | {
        "few": [HOSTILE[row % 2] for row in range(COUNT)]
    }
    return planted


@pytest.fixture(scope="module")
def viewed(planted, explored):
    return explored(planted)


@pytest.fixture
def watched(browser, viewed, rest):
    """Open a page; at the end, assert that it complained of nothing and asked nobody else."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    complaints, asked = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (complaints.append("a dialog opened"), dialog.dismiss()))

    def show(address=""):
        page.goto("about:blank")
        page.goto(viewed + address)
        rest(page)
        return page

    yield show
    assert (
        page.locator(
            "script:not([src]), img[onerror], [onload], a[href^=javascript], foreignObject"
        ).count()
        == 0
    )
    page.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((viewed, "blob:", "data:"))] == []


def key(planted):
    return json.loads((planted.folder / "explorer" / "manifest.json").read_text())["key"]


def test_names_and_values_of_columns_stay_text(watched, planted):
    page = watched(f"#row=3&key={key(planted)}")
    page.wait_for_selector(".detail[data-row='3']")
    titles = page.locator(".detail dt").all_text_contents()
    assert {SCRIPT, HANDLER, LINK, "__proto__", "constructor"} <= set(titles)
    long = page.locator(".detail dd", has_text="Show all 1,000,026 characters")
    assert long.count() == 1 and len(long.text_content()) < 25_000
    for name in (SCRIPT, HANDLER, "__proto__", "constructor"):
        page.locator("#color").select_option(label=name)
        page.locator(".legend .name", has_text="__proto__").wait_for()
        assert SCRIPT in page.locator(".legend .name").all_text_contents()
        page.locator("#filter").select_option(label=name)
        page.get_by_label(f"Remove the filter on {name}", exact=True).click()
    page.locator(".legend .value").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Select the").click()
    page.locator(".selection .tile").first.wait_for()
    page.get_by_text("Filter by annotations").click()
    page.locator(".stage").focus()
    page.keyboard.press("/")
    page.keyboard.type("<script>")
    page.keyboard.press("Enter")
    page.locator(".status", has_text="shown").wait_for()


def test_addresses_say_nothing_that_is_not_checked(watched, planted):
    odd = json.dumps([[name, "AAAA"] for name in HOSTILE])
    filters = json.dumps(
        [{"column": "__proto__", "values": [SCRIPT]}, {"column": "label", "values": "x"}, None]
    )
    said = {
        "map": "__proto__",
        "color": "__proto__",
        "size": "this:constructor",
        "made": odd,
        "filter": filters,
        "hide": json.dumps([SCRIPT]),
        "q": HANDLER,
        "flags": '{"share": 2, "rules": [1]}',
        "why": '{"neighbor": "x"}',
        "leaks": "1e9",
        "camera": "[2,0,0,0,-1,0,0]",
        "rows": "%%%",
        "row": "1e9",
        "others": '["__proto__"]',
        "regions": "__proto__",
    }
    address = "&".join(f"{name}={quote(value)}" for name, value in said.items())
    page = watched(f"#{address}&key={key(planted)}")
    assert page.locator(".made .name").all_text_contents() == HOSTILE
    assert page.locator(".detail").is_hidden() and page.locator(".selection").is_hidden()


def test_notes_of_others_stay_text(watched, planted, tmp_path):
    page = watched()
    path = tmp_path / "notes.csv"
    fields = ["id", "review_mark", "review_tags", "review_comment", "reviewer", "reviewed_at"]
    lines = [
        ",".join(fields),
        f'sample-000003,yes,{SCRIPT},"{DRAWING}",{LINK},2026-01-01T00:00:00Z',
        f"__proto__,yes,{LINK},x,constructor,2026-01-01T00:00:00Z",
    ]
    path.write_text("\r\n".join(lines), "utf-8")
    page.locator("input[type=file]").set_input_files(path)
    page.wait_for_selector("text=2 notes taken")
    page.goto("about:blank")
    page = watched(f"#row=3&key={key(planted)}")
    page.wait_for_selector(".detail[data-row='3']")
    assert page.get_by_label("Tags").input_value() == SCRIPT
    assert page.get_by_label("Comment").input_value() == DRAWING


def test_markup_is_refused_by_the_page_itself(browser, viewed, rest):
    page = browser.new_page()
    page.goto(viewed)
    rest(page)
    for sink in (
        "document.body.innerHTML = '<b>x</b>'",
        "document.createElement('script').text = '1'",
        "new DOMParser().parseFromString('<b>', 'text/html')",
    ):
        caught = "catch (error) { return error instanceof TypeError }"
        refused = page.evaluate(f"() => {{ try {{ {sink}; return false }} {caught} }}")
        assert refused, sink
    page.close()
