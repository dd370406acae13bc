"""The fake run of tests/report, opened in headless Chromium."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from latentmap.report.assets import write_vega

_path = Path(__file__).parents[1] / "report" / "conftest.py"
_spec = importlib.util.spec_from_file_location("fake_report", _path)
_module = importlib.util.module_from_spec(_spec)
sys.modules["fake_report"] = _module
_spec.loader.exec_module(_module)

HOSTILE = _module.HOSTILE
fake_run = _module.fake_run
report = _module.report
targeted_run = _module.targeted_run


@pytest.fixture(scope="session")
def vega_writer():
    """What really draws the charts."""
    return write_vega


@pytest.fixture(scope="session")
def browser(launch_chromium):
    return launch_chromium("--disable-gpu")


@pytest.fixture
def hostile():
    """A label that would run a script wherever text is taken for markup."""
    return HOSTILE


@pytest.fixture
def open_page(browser):
    """Open a file; at the end, assert that it asked the network nothing and had no errors."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (complaints.append("a dialog opened"), dialog.dismiss()))

    def open_file(path):
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]")
        return page

    yield open_file
    context.close()
    assert requests
    shared = {url for url in requests if not url.endswith(".html")}
    opened = {
        url for url in shared if re.search(r"assets/(details|pictures)(\.js|/\w+\.\w+)$", url)
    }
    assert all("/report/assets/" in url for url in shared)
    assert len(shared - opened) in (0, 3, 4)
    assert all(url.startswith("file://") for url in requests)
    assert complaints == []
