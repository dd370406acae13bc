"""Time other tools' pages of the same points beside the explorer's, in headless Chromium.

    python benchmarks/explorer_peers.py write EXPLORER PAGES    # where the peers are installed
    python benchmarks/explorer_peers.py measure EXPLORER PAGES [--runs 3]

EXPLORER is a run's `explorer/` folder. `write` puts a page of each peer that it can import into
PAGES: plotly (scattergl, scatter3d), datamapplot, embedding-atlas; it needs pyarrow and pandas
besides. `measure` opens them and the explorer in turn, each in a fresh browser, and prints medians:
seconds until a hundredth of the page is coloured and CPU seconds of all browser processes until
then, what was transferred as it is served and packed by gzip, memory of the page, milliseconds
between frames of a drag, and from a moved pointer to whatever the page shows there.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

import numpy as np

WAIT = 120
"""Seconds that a page has to show its points."""

# Milliseconds between the frames of a page while it is dragged.
FRAMES = """() => {
    window.frames_ = [];
    let before = performance.now();
    const next = (now) => {
        window.frames_.push(now - before);
        before = now;
        requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
}"""

# When a page last changed what it has beside its canvases.
CHANGES = """() => {
    window.changed_ = 0;
    new MutationObserver(() => { window.changed_ = performance.now(); })
        .observe(document.body, {
            subtree: true, childList: true, attributes: true, characterData: true });
    addEventListener('mousemove', () => { window.moved_ = performance.now(); }, true);
}"""


def main() -> None:
    """Write or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("write", "measure"))
    parser.add_argument("explorer", type=Path)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    options = parser.parse_args()
    if options.command == "write":
        write(options.explorer, options.pages)
    else:
        measure(options.explorer, options.pages, options.runs, options.only)


# ---- writing -----------------------------------------------------------------------------------


def write(explorer: Path, pages: Path) -> None:
    """Write a page of each peer, and say how long that took."""
    flat, deep, labels = read_points(explorer)
    makers: Mapping[str, Callable[[Path], None]] = {
        "plotly-scattergl": partial(plotly_page, flat, labels),
        "plotly-scatter3d": partial(plotly_page, deep, labels),
        "datamapplot": partial(datamapplot_page, flat, labels),
        "embedding-atlas": partial(atlas_page, flat, labels),
    }
    for name, make in makers.items():
        folder = pages / name
        folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        try:
            make(folder)
        except Exception as error:  # another peer may do
            print(f"{name}: {type(error).__name__}: {error}")
            shutil.rmtree(folder)
        else:
            print(f"{name}: {time.monotonic() - started:.1f} s, load {os.getloadavg()[0]:.0f}")


def read_points(explorer: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return places of all samples on the first flat and the first deep map, and their labels."""
    import pyarrow as pa

    manifest = json.loads((explorer / "manifest.json").read_text())

    def read(entry: Mapping[str, Any]) -> Any:
        return pa.ipc.open_file(explorer / entry["file"]).read_all()

    places = []
    for dims in (2, 3):
        entry = next(entry for entry in manifest["maps"] if entry["dims"] == dims)
        table = read(entry)
        stored = np.stack([table[axis].to_numpy() for axis in "xyz"[:dims]], axis=1)
        places.append((np.array(entry["offset"]) + entry["scale"] * stored).astype(np.float32))
    first = next(c for c in manifest["columns"] if c["id"] == manifest["first"]["column"])
    return places[0], places[1], np.array(read(first)["value"].to_pylist(), np.str_)


def plotly_page(places: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Write a page of Plotly, with a trace for each label."""
    import plotly.graph_objects as go

    kind = go.Scattergl if places.shape[1] == 2 else go.Scatter3d
    figure = go.Figure()
    for label in np.unique(labels):
        chosen = places[labels == label]
        axes = dict(zip("xyz", chosen.T, strict=False))
        figure.add_trace(kind(**axes, mode="markers", marker={"size": 3}, name=str(label)))
    figure.write_html(folder / "index.html", include_plotlyjs=True)


def datamapplot_page(places: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Write an interactive page of DataMapPlot, whose scripts are in it."""
    import datamapplot

    plot = datamapplot.create_interactive_plot(
        places, labels, hover_text=list(labels), inline_data=True, offline_mode=True
    )
    plot.save(str(folder / "index.html"))


def atlas_page(places: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Write a site of Embedding Atlas."""
    import sys

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"x": places[:, 0], "y": places[:, 1], "label": labels.tolist()})
    pq.write_table(table, folder / "points.parquet")
    command = [Path(sys.executable).with_name("embedding-atlas"), folder / "points.parquet"]
    command += ["--x", "x", "--y", "y", "--disable-projection", "--export-application", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=600)


# ---- measuring ---------------------------------------------------------------------------------


def measure(explorer: Path, pages: Path, runs: int, only: list[str]) -> None:
    """Open every page in turn, several times, and print medians."""
    from explorer_page import ARGUMENTS
    from playwright.sync_api import sync_playwright

    from latentmap.explorer.serve import make_server

    ours = make_server(explorer.parent)
    peers = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=pages))
    for server in (ours, peers):
        Thread(target=server.serve_forever, daemon=True).start()
    urls = {"latentmap": f"http://127.0.0.1:{ours.server_port}/explorer/"}
    urls["latentmap in 3D"] = urls["latentmap"] + f"#map={deep_map(explorer)}"
    urls |= {
        folder.name: f"http://127.0.0.1:{peers.server_port}/{folder.name}/"
        for folder in sorted(pages.iterdir())
    }
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in urls if name in (only or urls)}
    with sync_playwright() as playwright:
        for _ in range(runs):
            for name, seen in found.items():
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=ARGUMENTS
                )
                seen.append(visited(browser, urls[name]))
                browser.close()
                print(f"load {os.getloadavg()[0]:.0f}, {name}: {seen[-1]}", flush=True)
    print(f"medians of {runs}")
    for name, seen in found.items():
        values = {key: [one[key] for one in seen if one[key] is not None] for key in seen[0]}
        told = (f"{key} {median(all_):.3g}" if all_ else f"{key} –" for key, all_ in values.items())
        print(f"{name}: {', '.join(told)}")


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def deep_map(explorer: Path) -> str:
    """Return the first map in three dimensions."""
    maps = json.loads((explorer / "manifest.json").read_text())["maps"]
    return str(next(entry["id"] for entry in maps if entry["dims"] == 3))


def visited(browser: Any, url: str) -> dict[str, float | None]:
    """Measure one visit."""
    from explorer_page import cpu, renderer_megabytes

    page = browser.new_page(viewport={"width": 1200, "height": 800})
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes, packed = [], []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.on("response", lambda answer: packed.append(answer))
    before, started = cpu(browser), time.monotonic()
    page.goto(url, wait_until="commit")
    first = None
    while first is None and time.monotonic() - started < WAIT:
        if coloured(page) > 0.01:
            first = time.monotonic() - started
        page.wait_for_timeout(50)
    used = cpu(browser) - before
    page.wait_for_timeout(2000)
    drawn = {"first points, s": first, "CPU s": used if first is not None else None}
    weight = {"MB": sum(sizes) / 1e6, "MB by gzip": sum(map(weighed, packed)) / 1e6}
    memory = {"memory, MB": renderer_megabytes(browser)}
    if first is None:
        return {
            **drawn,
            **weight,
            **memory,
            "frame, ms": None,
            "pointer, ms": None,
            "answers": None,
        }
    return {**drawn, **weight, **memory, **pointed(page), "frame, ms": dragged(page)}


def coloured(page: Any) -> float:
    """Return the share of a page that is coloured: neither grey, black nor white."""
    from PIL import Image

    try:
        content = page.screenshot(timeout=WAIT * 1000)
    except Exception:  # it is too busy to be seen
        return 0
    shot = Image.open(BytesIO(content)).convert("RGB").resize((300, 200))
    pixels = np.asarray(shot)[20:-20, 70:-70].astype(int)
    return float((np.ptp(pixels, axis=2) > 40).mean())


def weighed(answer: Any) -> int:
    """Return the bytes of an answer, packed by gzip if it was not packed."""
    try:
        body = answer.body()
    except Exception:  # redirects have none
        return 0
    if "content-encoding" in answer.headers:
        return int(answer.headers.get("content-length", len(body)))
    return len(gzip.compress(body, 5))


def dragged(page: Any) -> float:
    """Return the median of milliseconds between the frames of a drag."""
    page.evaluate(FRAMES)
    page.mouse.move(600, 400)
    page.mouse.down()
    for i in range(30):
        page.mouse.move(600 + 4 * (i % 15), 400 + 3 * i)
    page.mouse.up()
    page.wait_for_timeout(200)
    return float(median(page.evaluate("window.frames_")))


def pointed(page: Any) -> dict[str, float | None]:
    """Return the median of milliseconds from a moved pointer to what a page tells of it."""
    page.evaluate(CHANGES)
    places = np.random.default_rng(1).uniform((350, 200), (850, 600), (20, 2))
    times = []
    for x, y in places:
        page.mouse.move(x, y)
        page.wait_for_timeout(700)
        moved, changed = page.evaluate("[window.moved_, window.changed_]")
        if changed >= moved:
            times.append(changed - moved)
    return {"pointer, ms": median(times) if times else None, "answers": float(len(times))}


if __name__ == "__main__":
    main()
