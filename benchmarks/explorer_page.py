"""Time the explorer's page in headless Chromium, without a GPU.

    python benchmarks/explorer_page.py EXPLORER [--runs 5] [--without-webgl]

EXPLORER is a run's `explorer/` folder, with page and data. Prints medians over fresh browsers:
until the first points are drawn, what was transferred, CPU time and memory; then frames of a drag
in two and three dimensions and what it uploads, from a moved pointer to its card, and a lasso. Run
it beside nothing else: the load is printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from statistics import median, quantiles
from threading import Thread

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from latentmap.explorer.serve import make_server

ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]

NO_WEBGL = ["--no-sandbox", "--disable-gpu", "--disable-3d-apis"]

# Bytes that WebGL is sent.
UPLOADS = """() => {
    window.uploaded_ = 0;
    const counted = (name, bytes) => {
        const send = WebGL2RenderingContext.prototype[name];
        WebGL2RenderingContext.prototype[name] = function (...given) {
            window.uploaded_ += bytes(given);
            return send.apply(this, given);
        };
    };
    counted('bufferData', ([, data]) => data?.byteLength ?? data ?? 0);
    counted('bufferSubData', ([, , data]) => data?.byteLength ?? 0);
    counted('texImage2D', (given) => given.at(-1)?.byteLength ?? 0);
    counted('texSubImage2D', (given) => given.at(-1)?.byteLength ?? 0);
}"""

# A hand that drags the map round in a circle: milliseconds of work that each frame takes.
DRAG = """async () => {
    const stage = document.querySelector('.stage');
    const box = stage.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const send = (kind, dx, dy) => stage.dispatchEvent(new PointerEvent(kind, {
        pointerId: 1, clientX: x + dx, clientY: y + dy, button: 0, buttons: 1, bubbles: true }));
    stage.setPointerCapture = () => {};
    const work = [];
    send('pointerdown', 0, 0);
    for (let i = 1; i <= 60; i++) {
        send('pointermove', 60 * Math.cos(i / 5), 60 * Math.sin(i / 5));
        await new Promise((resolve) => requestAnimationFrame((began) => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => { work.push(performance.now() - began); resolve(); };
            channel.port2.postMessage(null);
        }));
    }
    send('pointerup', 0, 0);
    return work;
}"""

# A hundred places on the map, the same each time: milliseconds until the card there is whole.
HOVER = """async () => {
    const stage = document.querySelector('.stage');
    const card = document.querySelector('.card');
    const box = stage.getBoundingClientRect();
    const times = [];
    let seed = 1;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let tries = 0; times.length < 100 && tries < 300; tries++) {
        const x = box.left + (0.2 + 0.6 * random()) * box.width;
        const y = box.top + (0.2 + 0.6 * random()) * box.height;
        const before = card.dataset.row;
        const began = performance.now();
        const place = { clientX: x, clientY: y, bubbles: true };
        stage.dispatchEvent(new PointerEvent('pointermove', place));
        await new Promise((resolve) => {
            const observer = new MutationObserver(done);
            const timer = setTimeout(done, 300);
            function done() { observer.disconnect(); clearTimeout(timer); resolve(); }
            observer.observe(card, { attributes: true, attributeFilter: ['data-row'] });
        });
        if (card.dataset.row !== before) times.push(performance.now() - began);
    }
    return times;
}"""

LASSO = """async () => {
    const stage = document.querySelector('.stage');
    const box = stage.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const send = (kind, i) => stage.dispatchEvent(new PointerEvent(kind, { pointerId: 1, button: 0,
        clientX: x + 250 * Math.cos(i / 20), clientY: y + 250 * Math.sin(i / 20), bubbles: true }));
    stage.setPointerCapture = () => {};
    send('pointerdown', 0);
    for (let i = 1; i < 120; i++) send('pointermove', i);
    const began = performance.now();
    send('pointerup', 120);
    return performance.now() - began;
}"""


def main() -> None:
    """Open an explorer in fresh browsers and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("explorer", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--without-webgl", action="store_true")
    options = parser.parse_args()
    server = make_server(options.explorer.parent)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/explorer/index.html"
    found: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        for _ in range(options.runs):
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=NO_WEBGL if options.without_webgl else ARGUMENTS,
            )
            for name, value in measured(browser, url).items():
                found.setdefault(name, []).append(value)
            browser.close()
    print(f"load {os.getloadavg()[0]:.0f}, {options.runs} fresh browsers, medians (least)")
    for name, values in found.items():
        print(f"{name}: {median(values):.3g} ({min(values):.3g})")


def measured(browser: Browser, url: str) -> dict[str, float]:
    """Measure one visit."""
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    sizes: list[float] = []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    before = cpu(browser)
    page.add_init_script(f"({UPLOADS})()")
    page.goto(url)
    rest(page)
    values = {
        "first points, s": page.evaluate(
            "performance.getEntriesByName('first points')[0].startTime / 1000"
        ),
        "until the first view rests, CPU s": cpu(browser) - before,
        "first view, MB transferred": sum(sizes) / 1e6,
        "renderer, MB": renderer_megabytes(browser),
        "heap, MB": heap_megabytes(session),
    }
    for dims in (2, 3):
        page.keyboard.press(str(dims))
        page.wait_for_timeout(1500)
        page.mouse.click(600, 5)
        page.keyboard.press("f")
        rest(page)
        worked, uploaded = main_thread(session), page.evaluate("window.uploaded_")
        values[f"frame of a drag in {dims}D, ms"] = median(page.evaluate(DRAG))
        values[f"the same in {dims}D, CPU ms"] = (main_thread(session) - worked) / 60
        rest(page)
        values[f"uploaded by it in {dims}D, bytes"] = page.evaluate("window.uploaded_") - uploaded
        times = page.evaluate(HOVER)
        values[f"hover to card in {dims}D, first time, 95 %, ms"] = quantiles(times, n=20)[-1]
        worked = main_thread(session)
        again = page.evaluate(HOVER)
        values[f"the same in {dims}D, warm, CPU ms each"] = (main_thread(session) - worked) / 100
        values[f"the same in {dims}D, warm, 95 %, ms"] = quantiles(again, n=20)[-1]
        page.keyboard.press("l")
        page.wait_for_timeout(50)
        worked = main_thread(session)
        values[f"lasso in {dims}D, ms"] = page.evaluate(LASSO)
        values[f"the same in {dims}D with what it opens, CPU ms"] = main_thread(session) - worked
        rest(page)
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
    return values


def rest(page: Page) -> None:
    """Wait until the map rests."""
    page.wait_for_timeout(100)
    page.wait_for_selector(".stage[data-view=resting]", timeout=60_000)


def main_thread(session: CDPSession) -> float:
    """Return the milliseconds of CPU time that a page's main thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1000 * next(m["value"] for m in metrics if m["name"] == "TaskDuration")


def heap_megabytes(session: CDPSession) -> float:
    """Return the memory that a page's script holds, after what it does not need is gone."""
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    return float(used["usedSize"] + used.get("backingStorageSize", 0)) / 1e6


def cpu(browser: Browser) -> float:
    """Return the seconds of CPU time of all of a browser's processes."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return float(sum(process["cpuTime"] for process in processes["processInfo"]))


def renderer_megabytes(browser: Browser) -> float:
    """Return the memory of the largest of a browser's renderers."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    renderers = [p["id"] for p in processes["processInfo"] if p["type"] == "renderer"]
    resident = [
        int(line.split()[1]) / 1024
        for number in renderers
        for line in Path(f"/proc/{number}/status").read_text().splitlines()
        if line.startswith("RssAnon")
    ]
    return max(resident)


if __name__ == "__main__":
    main()
