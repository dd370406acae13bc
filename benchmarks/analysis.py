"""Time the whole workflow on a cache of latents like that of the first analysis of Cosmos latents.

    python benchmarks/analysis.py [--runs 1] [--cores 2] [--methods all]

Makes the cache, 1,406 latents of (16, 64, 64) with their metadata and thumbnails, runs the
workflow on it from nothing, then once more with nothing to do, and prints seconds per stage.
Writes results/bench/timing.json. Run it from the project's folder.
"""

from __future__ import annotations

import argparse
import base64
import csv
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RESULTS = Path("results/bench")
CACHE = Path("results/bench-input/latents.npz")
# Samples of each category in SpatialRGPT-Bench (a8cheng/SpatialRGPT-Bench, split val).
CATEGORIES = {
    "distance_data": 148,
    "width_data": 133,
    "height_data": 133,
    "horizontal_distance_data": 122,
    "direction": 107,
    "vertical_distance_data": 106,
    "big_predicate": 61,
    "wide_predicate": 56,
    "behind_predicate": 55,
    "front_predicate": 55,
    "thin_predicate": 48,
    "small_predicate": 45,
    "above_predicate": 37,
    "below_predicate": 35,
    "short_choice": 33,
    "tall_choice": 31,
    "above_choice": 29,
    "left_choice": 28,
    "right_predicate": 28,
    "tall_predicate": 26,
    "left_predicate": 25,
    "right_choice": 24,
    "short_predicate": 22,
    "below_choice": 19,
}
# Fourteen methods, as many as the first analysis compared: the ten that its report names, and of
# those that it does not name the most expensive.
METHODS = (
    *("mean", "max", "min", "std", "meanstd", "minmax", "full_stats", "patch4", "patch8"),
    *("flatten", "spatial", "channel", "mean_pca8", "mean_pca4"),
)
SHAPE = (16, 64, 64)
COARSE = 8
THUMBNAIL = 96


def make_cache(path: Path) -> None:
    """Write the cache: smooth random fields whose channel means lean towards their category.

    Values have the precision of bfloat16, in which such models run, and the file is compressed.
    """
    random = np.random.default_rng(0)
    labels = np.repeat(list(CATEGORIES), list(CATEGORIES.values()))
    random.shuffle(labels)
    leaning = {label: random.normal(scale=0.3, size=(SHAPE[0], 1, 1)) for label in CATEGORIES}
    latents = np.stack([_field(random) + leaning[label] for label in labels], dtype=np.float32)
    truncated = (latents.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    metadata = [
        {"id": f"sample-{row:04d}", "qa_category": str(label), "qa_type": "quantitative"}
        for row, label in enumerate(labels)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp.npz")
    np.savez_compressed(
        temporary,
        latents=truncated,
        metadata=json.dumps(metadata),
        thumbnails=json.dumps([_thumbnail(latent) for latent in latents]),
    )
    temporary.replace(path)


def _field(random: np.random.Generator) -> NDArray[np.float64]:
    """Return (C, H, W): mostly low frequencies, as in the latents of photographs."""
    coarse = random.normal(size=(SHAPE[0], COARSE, COARSE))
    smooth = np.einsum("hi,cij,wj->chw", _WEIGHTS, coarse, _WEIGHTS)
    return smooth + 0.3 * random.normal(size=SHAPE)


def _interpolation() -> NDArray[np.float64]:
    """Return (H, COARSE) weights that interpolate linearly."""
    places = (np.arange(SHAPE[1]) + 0.5) * COARSE / SHAPE[1] - 0.5
    return np.clip(1 - np.abs(places[:, np.newaxis] - np.arange(COARSE)), 0, 1)


_WEIGHTS = _interpolation()


def _thumbnail(latent: NDArray[np.float32]) -> str:
    """Return the first three channels as a JPEG in base 64."""
    pixels = np.clip(128 + 50 * np.moveaxis(latent[:3], 0, -1), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((THUMBNAIL, THUMBNAIL)).save(buffer, "JPEG", quality=75)
    return base64.b64encode(buffer.getvalue()).decode()


def timed(command: list[str]) -> dict[str, float]:
    """Run a command and return what it and all its jobs took: seconds, and MB of the largest."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wall = time.monotonic() - start
    if process.returncode:
        sys.exit(process.stdout[-4000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "largest_mb": after.ru_maxrss / 1024}


def stages() -> dict[str, dict[str, float]]:
    """Sum what Snakemake measured of the jobs of each rule.

    Memory is sampled twice a second, so that of a shorter job nothing is known.
    """
    found: dict[str, dict[str, float]] = {}
    for rule, record in _records():
        stage = found.setdefault(
            rule, {"jobs": 0, "seconds": 0.0, "longest": 0.0, "cpu": 0.0, "largest_mb": 0.0}
        )
        seconds = float(record["s"])
        stage["jobs"] += 1
        stage["seconds"] += seconds
        stage["longest"] = max(stage["longest"], seconds)
        stage["cpu"] += _number(record["cpu_time"])
        stage["largest_mb"] = max(stage["largest_mb"], _number(record["max_rss"]))
    return dict(sorted(found.items(), key=lambda item: -item[1]["seconds"]))


def _records() -> Iterator[tuple[str, dict[str, str]]]:
    folder = RESULTS / "benchmarks"
    for path in sorted(folder.rglob("*.tsv")):
        with path.open(newline="") as file:
            for record in csv.DictReader(file, delimiter="\t"):
                yield path.relative_to(folder).parts[0].removesuffix(".tsv"), record


def _number(text: str) -> float:
    return 0.0 if text in ("NA", "-") else float(text)


def measure(cores: int, methods: str) -> dict[str, Any]:
    """Run the workflow from nothing and once more."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", str(cores)),
        *("--configfile", "config/npz.yaml", "--config"),
        *("run=bench", f"input={CACHE}", f"methods={methods}"),
    ]
    load = os.getloadavg()[0]
    full = timed(command)
    return {"load_before": load, **full, "stages": stages(), "again": timed(command)}


def show(runs: list[dict[str, Any]]) -> None:
    """Print a Markdown table of all runs' medians, then one of the stages of the last run."""
    for name in ("wall", "cpu", "largest_mb"):
        values = [run[name] for run in runs]
        print(
            f"{name}: {statistics.median(values):.1f} (of {', '.join(f'{v:.1f}' for v in values)})"
        )
    again = [run["again"]["wall"] for run in runs]
    print(f"second run, nothing changed: {statistics.median(again):.1f} s\n")
    print("| rule | jobs | seconds, sum | longest | peak MB |")
    print("|---|---:|---:|---:|---:|")
    for rule, stage in runs[-1]["stages"].items():
        print(
            f"| {rule} | {stage['jobs']} | {stage['seconds']:.1f} | {stage['longest']:.1f} "
            f"| {stage['largest_mb']:.0f} |"
        )


def main() -> None:
    """Make the cache if there is none, measure, and print."""
    parser = argparse.ArgumentParser(description="Time the whole workflow on a cache of latents.")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--methods", default=f"[{','.join(METHODS)}]")
    given = parser.parse_args()
    if not CACHE.exists():
        make_cache(CACHE)
    runs = [measure(given.cores, given.methods) for _ in range(given.runs)]
    (RESULTS / "timing.json").write_text(json.dumps({"runs": runs}, indent=1) + "\n")
    show(runs)


if __name__ == "__main__":
    main()
