"""CPU seconds of planning a run of many lines of JSON or many images, without Snakemake.

    python benchmarks/planning.py [--lines 1000000] [--images 100000] [--folder DIR]

The lines have an id, a label, a text of 30 words and a number. The images are made small, so that
what is measured is the work for each file: they are listed, digested once, and planned once more,
when none is opened. Both times are those of one process, on one thread of Python.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from latentmap.planning import Plan
from latentmap.run import load_run
from latentmap.store.digests import SETTLED, remember_digests

LABELS = 20


def write_lines(path: Path, count: int) -> None:
    """Write so many objects, one a line."""
    random = np.random.default_rng(0)
    words = np.array([f"{word:x}" for word in random.integers(0, 2**20, 5000)])
    with path.open("w") as file:
        for row in range(count):
            text = " ".join(random.choice(words, 30))
            line = {"id": f"t{row}", "src": f"s{row % LABELS}", "prompt": text, "score": row / 7}
            file.write(json.dumps(line) + "\n")


def write_images(folder: Path, count: int) -> None:
    """Write so many images, no two of which are the same, in class folders."""
    for label in range(LABELS):
        (folder / f"label{label:02d}").mkdir(parents=True)
    for row in range(count):
        color = (row & 255, row >> 8 & 255, row >> 16 & 255)
        path = folder / f"label{row % LABELS:02d}" / f"{row:06d}.png"
        Image.new("RGB", (2, 2), color).save(path)


def timed(run: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def planned(kind: str, data: Path, **options: object) -> float:
    """Plan a run of one source; return the CPU seconds."""
    source = {"kind": kind, "input": str(data), **options}
    encoders = [{"kind": "dct", "size": 64}] if kind == "folder" else [{"kind": "tfidf"}]
    run = load_run({"run": "planning", "samples": {"sources": [source]}, "encoders": encoders})
    plan = Plan(run, data.parent / "results", Path)
    return timed(lambda: plan.shards)


def main() -> None:
    """Make the data, plan, and print."""
    parser = argparse.ArgumentParser(description="Time the plan of large runs.")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        lines, images = Path(folder) / "lines.jsonl", Path(folder) / "images"
        if given.lines:
            write_lines(lines, given.lines)
            seconds = planned("jsonl", lines, columns={"id": "id"})
            print(f"{given.lines:,} lines: {seconds:.1f} CPU s, load {os.getloadavg()[0]:.0f}")
        if given.images:
            write_images(images, given.images)
            time.sleep(SETTLED / 1e9)
            for what in ("first", "unchanged"):
                memory = remember_digests(Path(folder) / "digests.parquet", "1")
                seconds = planned("folder", images)
                memory.save()
                print(
                    f"{given.images:,} images, {what}: {seconds:.1f} CPU s, "
                    f"load {os.getloadavg()[0]:.0f}"
                )


if __name__ == "__main__":
    main()
