"""Pictures that stay on the host where they are: that one host may be asked, and no other."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from latentmap.errors import LatentmapError

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted, _jpeg

COUNT = 12


@pytest.fixture(scope="module")
def host(tmp_path_factory, served):
    """Another server, which has the pictures of half of the samples."""
    folder = tmp_path_factory.mktemp("host")
    for row in range(0, COUNT, 2):
        (folder / f"sample-{row:06}.jpg").write_bytes(_jpeg(row, 64))
    return served(folder).rstrip("/")


@pytest.fixture(scope="module")
def planted(tmp_path_factory, host):
    folder = tmp_path_factory.mktemp("runs") / "linked"
    url = f"{host}/{{id}}.jpg"
    return Planted(folder, count=COUNT, dims={"umap": 2}, pictures=True, image_url=url)


@pytest.fixture(scope="module")
def viewed(planted, explored):
    return explored(planted)


@pytest.mark.browser
@pytest.mark.parametrize("form", ["served", "in one file"])
def test_whole_pictures_come_from_the_host_that_is_named(
    browser, planted, viewed, host, rest, form
):
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    url = viewed if form == "served" else (planted.folder / "explorer/explorer.html").as_uri()
    key = json.loads((planted.folder / "explorer/manifest.json").read_text())["key"]
    page.goto(f"{url}#row=4&key={key}")
    rest(page)
    picture = page.locator(".detail .picture img")
    assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == 64
    assert picture.get_attribute("src") == f"{host}/sample-000004.jpg"
    allowed = (url.partition("#")[0], f"{host}/", "blob:", "data:")
    assert [one for one in asked if not one.startswith(allowed)] == []
    # One that is not there is told, with the small one in its place.
    page.goto("about:blank")
    page.goto(f"{url}#row=5&key={key}")
    note = page.locator(".detail .picture .note")
    note.wait_for()
    assert note.inner_text() == f"The whole picture is not at {host}/sample-000005.jpg"
    small = page.locator(".detail .picture img")
    assert small.evaluate("img => img.decode().then(() => img.naturalWidth)") == 48
    # No other host is asked, whoever wants it.
    with page.expect_event("requestfailed") as refused:
        other = "Object.assign(new Image(), {src: 'http://localhost:1/x'})"
        page.evaluate(f"document.body.append({other})")
    assert (refused.value.url, refused.value.failure) == ("http://localhost:1/x", "csp")
    page.close()


def test_nothing_is_copied_and_other_hosts_are_not_named(planted, viewed, host):
    folder = planted.folder / "explorer"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["pictures"] == {"files": COUNT, "bytes": 0, "host": host}
    assert not (folder / "pictures").exists()
    (table,) = (pa.ipc.open_file(path).read_all() for path in folder.glob("samples/*.arrow"))
    assert table["picture"][3].as_py() == f"{host}/sample-000003.jpg"
    page = (folder / "index.html").read_text()
    assert f"img-src 'self' data: blob: {host};" in page


def test_a_url_that_no_sample_fills_is_refused(tmp_path, explored):
    planted = Planted(tmp_path / "run", count=3, image_url="https://host/{file_name}")
    with pytest.raises(LatentmapError, match="file_name"):
        explored(planted)
