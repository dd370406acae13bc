"""The page beside its data, and the page that has its data in it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from latentmap.errors import LatentmapError
from latentmap.explorer import page as pages
from latentmap.explorer.page import write_page
from latentmap.explorer.write import write_explorer

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted

SOURCES = Path(__file__).parents[2] / "explorer"
SCRIPT = 'const a = "</script><!-- <script>";\n'


class Elements(HTMLParser):
    """What a browser finds in a page: its policy, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.policy = ""
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag in ("script", "style"):
            self.found.append((tag, attributes, ""))

    def handle_data(self, data):
        if self.found and not self.found[-1][2] and data.strip():
            self.found[-1] = (*self.found[-1][:2], data)

    @property
    def files(self) -> dict[str, bytes]:
        """The files in the page, by their paths."""
        return {
            given["id"].removeprefix("file:"): gzip.decompress(base64.b64decode(text))
            for _, given, text in self.found
            if given.get("type") == "application/octet-stream"
        }


@pytest.fixture
def bundle(tmp_path) -> Path:
    """A built page: the real first file, and small ones in the place of the others."""
    folder = tmp_path / "bundle"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes((SOURCES / "public" / "index.html").read_bytes())
    (folder / "assets" / "explorer.js").write_text(SCRIPT * 100)
    (folder / "assets" / "explorer.css").write_text("body { margin: 0 }\n" * 100)
    return folder


@pytest.fixture
def explorer(tmp_path) -> Path:
    results = Planted(tmp_path / "run", count=40, pictures=True).write()
    write_explorer(results)
    return results.folder / "explorer"


def test_the_page_lies_beside_its_data_with_compressed_copies(bundle, explorer):
    write_page(bundle, explorer)
    for name in ("index.html", "assets/explorer.js", "assets/explorer.css"):
        assert (explorer / name).read_bytes() == (bundle / name).read_bytes()
    copy = (explorer / "assets" / "explorer.js.gz").read_bytes()
    assert gzip.decompress(copy).decode() == SCRIPT * 100


def test_the_page_in_one_file_has_all_data_but_the_pictures(bundle, explorer):
    write_page(bundle, explorer)
    found = Elements((explorer / "explorer.html").read_text())
    files = found.files
    tables = {str(path.relative_to(explorer)) for path in explorer.rglob("*.arrow")}
    assert set(files) == {"manifest.json", *tables}
    assert all(files[name] == (explorer / name).read_bytes() for name in tables)
    manifest = json.loads(files["manifest.json"])
    assert manifest["pictures"] is None
    assert [entry["what"] for entry in manifest["missing"]] == ["pictures"]
    assert "latentmap view" in manifest["missing"][0]["remedy"]
    original = json.loads((explorer / "manifest.json").read_text())
    assert manifest["latents"] == []
    same = {"pictures", "missing", "latents"} ^ original.keys()
    assert {key: manifest[key] for key in same} == {key: original[key] for key in same}


def test_just_the_script_and_style_of_the_page_may_run(bundle, explorer):
    write_page(bundle, explorer)
    text = (explorer / "explorer.html").read_text()
    found = Elements(text)
    assert not re.search(r"(src|href)=\"(?!data:,)", text)
    assert "unsafe" not in found.policy
    allowed = {}
    for tag, given, content in found.found:
        if given.get("type") is None:
            allowed[tag] = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    assert set(allowed) == {"script", "style"}
    for tag, digest in allowed.items():
        assert f"{tag}-src 'sha256-{digest}'" in found.policy
    assert text.count("</script>") == 1 + len(found.files)


def test_what_does_not_fit_is_left_out_and_said(bundle, explorer, monkeypatch):
    write_page(bundle, explorer)
    whole = (explorer / "explorer.html").stat().st_size
    monkeypatch.setattr(pages, "MOST_BYTES", whole - 1)
    write_page(bundle, explorer)
    files = Elements((explorer / "explorer.html").read_text()).files
    manifest = json.loads(files["manifest.json"])
    assert manifest["thumbnails"] is None
    assert not any(name.startswith("thumbnails") for name in files)
    assert [entry["what"] for entry in manifest["missing"]] == ["pictures", "thumbnails"]
    assert all(method["neighbors"] for method in manifest["methods"])
    monkeypatch.setattr(pages, "MOST_BYTES", 100)
    write_page(bundle, explorer)
    assert (explorer / "explorer.html").read_text() == (bundle / "index.html").read_text()


def test_many_samples_are_no_page_in_one_file(bundle, explorer, monkeypatch):
    monkeypatch.setattr(pages, "MOST_SAMPLES", 39)
    write_page(bundle, explorer)
    text = (bundle / "index.html").read_text()
    assert (explorer / "index.html").read_text() == text
    assert (explorer / "explorer.html").read_text() == text


def test_a_page_without_a_place_for_data_is_refused(bundle, explorer):
    text = (bundle / "index.html").read_text()
    (bundle / "index.html").write_text(text.replace("<!-- data -->", ""))
    with pytest.raises(LatentmapError, match="has no <!-- data -->"):
        write_page(bundle, explorer)
