import json
import re

import pytest

from latentmap.cli import main
from latentmap.errors import LatentmapError
from latentmap.report.assets import bundle, read_samples_asset
from latentmap.report.embedded import embedded_json, packed, unpacked
from latentmap.report.page import relative
from latentmap.store.files import digest
from latentmap.store.results import RUN, SHOWN_SAMPLES, write_run_facts


def all_pages(report):
    return sorted(report.report.rglob("*.html"))


@pytest.mark.parametrize("text", ["</script><img src=x>", "<!--", "a & b", "\u2028\u2029", '"é\\'])
def test_embedded_json_has_no_markup_and_loses_nothing(text):
    written = embedded_json({text: [text]})
    assert not re.search("[<>&\u2028\u2029]", written)
    assert json.loads(written) == {text: [text]}


@pytest.mark.parametrize("text", ["</script><img src=x>", "\u2028", '"é\\'])
def test_what_is_packed_has_no_markup_and_loses_nothing(text):
    value = {text: [text, None, 0.1, 12345678], "n": [1.25] * 1000}
    written = packed(value)
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", written) and len(written) < 400
    assert unpacked(written) == value
    assert packed(value) == written


def test_no_text_opens_or_closes_an_element(report):
    for page in all_pages(report):
        text = page.read_text()
        own = r'<img data-sample="\d+" alt="[^"<>]*">'
        assert "<img" not in re.sub(rf"<script>.*?</script>|{own}", "", text, flags=re.S), page
        assert text.count("</script>") == len(re.findall(r"<script[ >]", text)), page


def test_only_the_scripts_of_the_page_may_run(report):
    nonces = set()
    for page in all_pages(report):
        text = page.read_text()
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
        scripts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert scripts["default-src"] == "'none'"
        (nonce,) = re.fullmatch(r"'unsafe-eval' 'nonce-(\w{16})'", scripts["script-src"]).groups()
        nonces.add(nonce)
        # Data are no script; each script is a file of the report's.
        run = re.findall(r"<script(?! type=\"application/(?:json|octet-stream)\")[^>]*>", text)
        later = r'(?: type="text/plain" data-later="\w+")?'  # the page's script runs these
        tags = [re.fullmatch(rf'<script nonce="{nonce}"{later} src="([^"]+)">', t) for t in run]
        found = [tag[1] for tag in tags]
        assert {(page.parent / path).resolve().parent for path in found} == {
            report.report / "assets"
        }
        assert text.count(nonce) == 1 + len(found)
    assert len(nonces) == len(all_pages(report))


def test_a_page_does_not_carry_what_all_share(report):
    picture = re.compile("data:image/jpeg;base64,")
    shared = read_samples_asset(report.results.path(SHOWN_SAMPLES))
    assert sum(map(bool, map(picture.match, shared["images"]))) == -(-len(report.ids) // 3)
    for page in all_pages(report):
        assert not picture.search(page.read_text()), page


def test_a_bundled_page_needs_no_other_file(report, tmp_path):
    page = report.page("tiny-vae", "plain", "per_method", "mean", "umap.html")
    text = bundle(page)
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert "/* Vega */" in text and "window.latentmapSamples = " in text and ".legend {" in text
    assert "latentmap file, version" not in text
    assert "Summary of the run" in text  # no link any more
    with pytest.raises(LatentmapError, match="no page of a report"):
        bundle(report.results.path(SHOWN_SAMPLES))


def test_a_page_is_written_again_and_bundled_by_itself(report, tmp_path, capsys):
    run = report.copy(tmp_path / "run")
    page = run.page("tiny-vae", "plain", "per_method", "mean", "umap.html")
    before = page.read_text()
    page.write_text("old")
    assert main(["write", str(page)]) == 1
    assert "is in no folder of a run" in capsys.readouterr().err
    write_run_facts(run.results.path(RUN), run.facts)
    assert main(["write", str(page)]) == 0
    assert page.read_text() == before
    assert main(["write", str(page.with_name("other.html"))]) == 1
    assert "other.html is no page of the run 'fake'" in capsys.readouterr().err
    assert main(["bundle", str(page), "-o", str(tmp_path / "one.html")]) == 0
    assert (tmp_path / "one.html").read_text() == bundle(page)
    page.unlink()
    assert main(["write", str(page)]) == 1
    assert "is not made yet: run snakemake once" in capsys.readouterr().err


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
