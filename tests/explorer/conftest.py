"""The built page, served with a site that was written for the tests, in headless Chromium."""

import importlib.util
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from latentmap.errors import LatentmapError
from latentmap.explorer.bundle import build, sources_digest
from latentmap.explorer.page import write_page
from latentmap.explorer.serve import address, make_server
from latentmap.explorer.write import write_explorer

_path = Path(__file__).parent / "sites.py"
_spec = importlib.util.spec_from_file_location("explorer_sites", _path)
sites = importlib.util.module_from_spec(_spec)
sys.modules["explorer_sites"] = sites
_spec.loader.exec_module(sites)

ROOT = Path(__file__).parents[2]
# Without a GPU, Chromium draws WebGL on the processor.
SOFTWARE_GL = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
NO_GL = ["--disable-gpu", "--disable-3d-apis", "--disable-webgl", "--disable-webgl2"]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    """The built page; built once for the same sources."""
    sources = ROOT / "explorer"
    folder = ROOT / "build" / f"explorer-{sources_digest(sources)}"
    if not folder.exists():
        built = tmp_path_factory.mktemp("bundle")
        try:
            build(sources, built)
        except LatentmapError as error:
            if "npm ci" in str(error):
                pytest.skip(f"npm fetches nothing here: {error}")
            raise
        shutil.copytree(built, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session", name="sites")
def _sites():
    """Return the module that writes sites."""
    return sites


@dataclass
class Site:
    """A site on disk and on a server, and what is known of it."""

    folder: Path
    url: str
    known: dict

    def on_screen(self, page, rows, method="mean", projection="umap"):
        """Return where rows of a flat map lie on the page as it is at first."""
        entry = next(
            entry
            for entry in self.known["manifest"]["maps"]
            if entry["id"] == f"tiny/plain/{method}/{projection}"
        )
        low, high = np.array(entry["extent"]).T
        places = self.known["places"][method, projection][rows] - (low + high) / 2
        stage = page.locator(".stage").bounding_box()
        unit = min(stage["width"], stage["height"]) / (high - low).max() / 1.06
        middle = [stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2]
        return middle + places * [unit, -unit]

    def lone(self, page):
        """Return the row that is farthest from all others."""
        places = self.on_screen(page, range(len(self.known["label"])))
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
        np.fill_diagonal(apart, np.inf)
        return int(apart.min(axis=1).argmax())


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def served():
    """Serve folders; return where."""
    servers = []

    def serve(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="module")
def explored(bundle):
    """Write the explorer of a planted run and serve it as `latentmap view` does; return where."""
    with ExitStack() as servers:

        def serve(planted) -> str:
            write_explorer(planted.write())
            write_page(bundle, planted.folder / "explorer")
            server = servers.enter_context(make_server(planted.folder))
            Thread(target=server.serve_forever, daemon=True).start()
            servers.callback(server.shutdown)
            return address(server)

        yield serve


@pytest.fixture(scope="session")
def site(bundle, served, tmp_path_factory):
    """A site of 300 samples under a sub-path."""
    root = tmp_path_factory.mktemp("site")
    folder = root / "some" / "path"
    known = sites.write_site(folder)
    shutil.copytree(bundle, folder, dirs_exist_ok=True)
    return Site(folder, f"{served(root)}some/path/", known)


@pytest.fixture(scope="session")
def browser(launch_chromium):
    return launch_chromium(*SOFTWARE_GL)


@pytest.fixture(scope="session")
def without_webgl(launch_chromium):
    """Return a browser in which pages get no WebGL."""
    return launch_chromium(*NO_GL)


def wait_for_rest(page):
    page.wait_for_selector(".stage[data-view=resting]", timeout=30_000)


@pytest.fixture
def rest():
    """Wait until the map of a page rests."""
    return wait_for_rest


@pytest.fixture
def opened(browser, site):
    """Open the site; at the end, assert that it had no errors and asked nobody else."""
    contexts, complaints, requests = [], [], []

    def open_page(address="", browser=browser, **options):
        context = browser.new_context(viewport={"width": 1200, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (complaints.append("a dialog opened"), dialog.dismiss()))
        page.goto(site.url + address)
        wait_for_rest(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    own = (site.url, "blob:", "data:")
    assert [url for url in requests if not url.startswith(own)] == []
