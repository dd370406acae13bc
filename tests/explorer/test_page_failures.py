"""What is missing, damaged or foreign is named, with what to do; and the page in one file works."""

import json
import shutil

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def broken(browser, site, tmp_path, served):
    """Serve a copy of the site that something was done to; return its page."""
    pages = []

    def open_page(change):
        folder = tmp_path / str(len(pages))
        shutil.copytree(site.folder, folder)
        change(folder)
        page = browser.new_page()
        pages.append(page)
        page.goto(served(folder))
        return page

    yield open_page
    for page in pages:
        page.close()


def edited(**changes):
    def change(folder):
        path = folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


MAP = "maps/tiny/plain/mean/umap.arrow"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json could not be read"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "does not describe"),
        (edited(format="another"), "does not describe"),
        (edited(version=2), "has version 2, this page reads version 1"),
        (lambda folder: (folder / MAP).unlink(), f"{MAP} could not be read"),
        (lambda folder: (folder / MAP).write_bytes((folder / MAP).read_bytes()[:-9]), "is damaged"),
        (
            lambda folder: (folder / MAP).write_bytes(
                (folder / MAP).read_bytes()[:900] + b"x" + (folder / MAP).read_bytes()[901:]
            ),
            "Its checksum is another",
        ),
        (edited(key="f" * 16), "belongs to other samples"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_remedy(broken, change, said):
    page = broken(change)
    failure = page.locator(".failure")
    failure.wait_for()
    text = failure.inner_text()
    assert said in text
    assert "latentmap run --configfile CONFIG.yaml -- explore --forcerun" in text


def test_files_that_are_read_later_are_named_too(broken, rest):
    whole = []

    def damage(folder):
        column, ids = folder / "columns/1.arrow", folder / "ids/0.arrow"
        whole.append((column, column.read_bytes()))
        column.write_bytes(column.read_bytes()[:-7])
        content = bytearray(ids.read_bytes())
        content[len(content) // 2] ^= 1
        ids.write_bytes(content)
        (folder / "neighbors/tiny/plain/mean/0.arrow").unlink()
        other = folder / "thumbnails/1.arrow"
        (folder / "thumbnails/0.arrow").write_bytes(other.read_bytes())

    page = broken(damage)
    rest(page)
    notice = page.locator(".notice .failure")

    def told(file, said):
        notice.wait_for()
        text = notice.inner_text()
        assert file in text and said in text
        assert "explore --forcerun write_explorer" in text
        page.locator(".notice").get_by_text("Close").click()

    page.locator("#color").select_option(label="split")
    told("columns/1.arrow", "is damaged")
    for path, content in whole:  # once it is written again, the page goes on
        path.write_bytes(content)
    page.locator("#color").select_option(label="label")
    page.keyboard.press("/")
    page.keyboard.type("sample-000007")
    page.keyboard.press("Enter")
    page.get_by_text("Select the 1 shown").click()
    told("thumbnails/0.arrow", "is damaged or belongs to another run")
    page.get_by_text("Export CSV").click()
    told("ids/0.arrow", "Its checksum is another")
    page.keyboard.press("n")
    told("neighbors/tiny/plain/mean/0.arrow", "The server answered 404")


def test_thousands_of_values_have_a_legend_that_is_searched(broken, sites):
    def crowd(folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        values = [f"value {i}" for i in range(3000)]
        writer = sites.Writer(folder)
        entry = sites.category(writer, "0", "label", "sample", values)
        manifest["columns"][0] = entry
        manifest.update(first={"map": None, "column": "0"}, count=3000, maps=[], methods=[])
        (folder / "manifest.json").write_text(json.dumps(manifest))

    page = broken(crowd)
    page.locator(".legend li").first.wait_for()
    assert page.locator(".legend li").count() == 12
    page.get_by_label("Search the legend").fill("value 299")
    assert page.locator(".legend .name").all_inner_texts()[-1] == "value 2999"
    assert page.locator(".legend li").count() == 11
    page.locator(".legend .value", has_text="value 2999").focus()
    page.keyboard.press("Enter")
    page.locator(".status strong", has_text="1").wait_for()


def test_a_page_beside_its_data_on_disk_says_how_to_open_it(browser, site):
    page = browser.new_page()
    page.goto((site.folder / "index.html").as_uri())
    page.locator(".failure").wait_for()
    assert "latentmap view" in page.locator(".failure").inner_text()
    page.close()


def test_the_page_in_one_file_opens_from_disk(browser, site, sites, bundle, tmp_path, rest):
    path = tmp_path / "explorer.html"
    path.write_text(sites.self_contained(site.folder, bundle))
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.goto(path.as_uri())
    rest(page)
    row = site.lone(page)
    page.mouse.click(*site.on_screen(page, row))
    page.wait_for_selector(f".detail[data-row='{row}']")
    assert page.locator(".detail .tile img").count() == 4
    picture = page.locator(".detail img.picture")  # the small one: whole pictures are not in it
    assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == 64
    page.close()
