import base64
import hashlib
import json
import re

import pytest

from latentmap.report.page import relative
from latentmap.report.plates import embedded_json
from latentmap.store.files import digest


def all_pages(report):
    return sorted(report.report.rglob("*.html"))


@pytest.mark.parametrize("text", ["</script><img src=x>", "<!--", "a & b", "\u2028\u2029", '"é\\'])
def test_embedded_json_has_no_markup_and_loses_nothing(text):
    written = embedded_json({text: [text]})
    assert not re.search("[<>&\u2028\u2029]", written)
    assert json.loads(written) == {text: [text]}


def test_no_text_opens_or_closes_an_element(report):
    for page in all_pages(report):
        text = page.read_text()
        own = r'<img src="data:image/jpeg;base64,[^"<>]*" alt="[^"<>]*">'
        assert "<img" not in re.sub(rf"<script>.*?</script>|{own}", "", text, flags=re.S), page
        assert text.count("</script>") == len(re.findall(r"<script[ >]", text)), page


def test_only_the_scripts_of_the_page_may_run(report):
    for page in all_pages(report):
        text = page.read_text()
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
        scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.S)
        hashes = [
            base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            for script in scripts
        ]
        assert len(scripts) == 2
        assert re.findall(r"sha256-([^']+)", policy) == hashes
        assert (
            "default-src 'none'" in policy
            and "'unsafe-inline'" not in policy.split("script-src")[1]
        )


def test_nothing_is_loaded_from_elsewhere(report):
    for page in all_pages(report):
        text = re.sub(r"<script.*?</script>", "", page.read_text(), flags=re.S)
        assert not re.search(r"(src|href)=\"?(https?:)?//", text)
        assert "@import" not in text and "url(" not in text


def test_links_lead_to_files(report):
    for page in all_pages(report):
        text = re.sub(r"<script.*?</script>", "", page.read_text(), flags=re.S)
        links = [link for link in re.findall(r'href="([^"]*)"', text) if link[0] != "#"]
        assert links
        for link in links:
            assert (page.parent / link).exists(), (page, link)


def test_relative_addresses():
    assert relative("r/summary.html", "r/e/v/per_method/m/umap.html") == "../../../../summary.html"


def test_the_same_input_gives_the_same_bytes(report, write_pages):
    files = sorted(path for path in report.report.rglob("*") if path.is_file())
    before = {path: digest(path.read_bytes()) for path in files}
    write_pages(report)
    assert {path: digest(path.read_bytes()) for path in files} == before
