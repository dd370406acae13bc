"""Time the whole workflow on a cache of latents like that of the first analysis of Cosmos latents.

    python benchmarks/analysis.py [--runs 1] [--cores 2] [--all-methods] [--published] [--peer DIR]

Makes the cache, 1,406 latents of (16, 64, 64) with their metadata and thumbnails, runs the
workflow on it from nothing, then once more with nothing to do, and prints seconds per rule.
Writes results/bench/timing.json. Run it from the project's folder. With the folder of the first
analysis's project, its script runs on the same cache after each run, and the ratios are printed.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RESULTS = Path("results/bench")
CACHE = Path("results/bench-input/latents.npz")
CONFIG = CACHE.parent / "config.json"
NOTES = CACHE.parent / "notes"
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
    *("mean", "max", "min", "std", "meanstd", "minmax", "full_stats", "patch8", "patch16"),
    *("flatten", "spatial", "channel", "mean_pca8", "mean_pca4"),
)
# What the first analysis did not do and a configuration can leave out: probes, and maps made again
# with other seeds.
PUBLISHED = {"metrics": {"probe_knn": None, "probe_linear": None}, "trust": {"seeds": 0}}
# The script of the first analysis, which takes the same cache, and where it writes.
PEER_SCRIPT = "analyze_cosmos_extraction_methods.py"
PEER_RESULTS = Path("results/bench-peer")
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


def timed(command: list[str], folder: Path) -> dict[str, Any]:
    """Run a command and return what it took as a whole, and what each rule's jobs took.

    Snakemake samples its jobs twice a second, which misses most of a short one. So every Python
    process of the run notes what the system counted of it when it ends.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(NOTE)
    search = os.pathsep.join(filter(None, [str(folder.resolve()), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": search, "LATENTMAP_NOTES": str(folder.resolve())}
    return {**elapsed(command, env=environment), "rules": rules(folder)}


def elapsed(command: list[str], **given: Any) -> dict[str, float]:
    """Run a command and return its seconds of wall and of CPU."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **given
    )
    wall = time.monotonic() - start
    if process.returncode:
        sys.exit(process.stdout[-4000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu}


def run_peer(folder: Path) -> dict[str, float]:
    """Run the script of the first analysis on the cache, with its own environment if it has one."""
    script = next(folder.resolve().rglob(PEER_SCRIPT), None)
    if script is None:
        sys.exit(f"{folder} has no {PEER_SCRIPT} in it.")
    own = folder / ".venv" / "bin" / "python"
    shutil.rmtree(PEER_RESULTS, ignore_errors=True)
    return elapsed(
        [
            *(str(own.absolute() if own.exists() else sys.executable), str(script)),
            *("--load-cache", str(CACHE.resolve()), "--output", str(PEER_RESULTS.resolve())),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "python"},
    )


# What every Python process of a run does; a job's script is .snakemake/scripts/tmp….{script}.py.
NOTE = """
import atexit, os, sys, time

def note(started=time.time()):
    import resource
    used = resource.getrusage(resource.RUSAGE_SELF)
    path = os.path.join(os.environ["LATENTMAP_NOTES"], str(os.getpid()) + ".txt")
    script = os.path.basename(sys.argv[0] or "-").split(".")
    name = script[-2] if len(script) == 3 else "snakemake"
    with open(path, "w") as file:
        print(name, time.time() - started, used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)

atexit.register(note)
"""


def rules(folder: Path) -> dict[str, dict[str, float]]:
    """Sum what the processes noted, by the script they ran; the most expensive first."""
    found: dict[str, dict[str, float]] = {}
    for path in sorted(folder.glob("*.txt")):
        name, wall, cpu, kilobytes = path.read_text().split()
        rule = found.setdefault(
            name, {"jobs": 0, "wall": 0.0, "cpu": 0.0, "longest": 0.0, "largest_mb": 0.0}
        )
        rule["jobs"] += 1
        rule["wall"] += float(wall)
        rule["cpu"] += float(cpu)
        rule["longest"] = max(rule["longest"], float(wall))
        rule["largest_mb"] = max(rule["largest_mb"], int(kilobytes) / 1024)
    return dict(sorted(found.items(), key=lambda item: -item[1]["cpu"]))


def measure(cores: int, config: dict[str, Any], peer: Path | None) -> dict[str, Any]:
    """Run the workflow from nothing and once more, and the peer if there is one."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    CONFIG.write_text(json.dumps({"run": RESULTS.name, "input": str(CACHE), **config}))
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", str(cores)),
        *("--configfile", "config/npz.yaml", str(CONFIG)),
    ]
    load = os.getloadavg()[0]
    full = timed(command, NOTES)
    again = timed(command, NOTES)
    return {"load_before": load, **full, "again": again, "peer": peer and run_peer(peer)}


def show(runs: list[dict[str, Any]]) -> None:
    """Print the medians of all runs, then a Markdown table of the rules of the last one."""
    for name in ("wall", "cpu"):
        values = [run[name] for run in runs]
        all_of_them = ", ".join(f"{value:.1f}" for value in values)
        print(f"{name}: median {statistics.median(values):.1f} s of {all_of_them}")
        if runs[0]["peer"]:
            theirs = [run["peer"][name] for run in runs]
            ratio = statistics.median(theirs) / statistics.median(values)
            all_of_them = ", ".join(f"{value:.1f}" for value in theirs)
            print(f"  peer: median {statistics.median(theirs):.1f} s of {all_of_them}", end="; ")
            print(f"{ratio:.1f} times as much")
    again = [run["again"]["wall"] for run in runs]
    print(f"second run, nothing changed: median {statistics.median(again):.1f} s\n")
    print("| script | jobs | CPU s | wall s, summed | longest s | peak MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, rule in runs[-1]["rules"].items():
        print(
            f"| {name} | {rule['jobs']} | {rule['cpu']:.1f} | {rule['wall']:.1f} "
            f"| {rule['longest']:.1f} | {rule['largest_mb']:.0f} |"
        )


def main() -> None:
    """Make the cache if there is none, measure, and print."""
    parser = argparse.ArgumentParser(description="Time the whole workflow on a cache of latents.")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--all-methods", action="store_true")
    parser.add_argument("--published", action="store_true", help="no probes, no further seeds")
    parser.add_argument("--peer", type=Path, help="folder of the first analysis's project")
    given = parser.parse_args()
    if not CACHE.exists():
        make_cache(CACHE)
    methods = "all" if given.all_methods else METHODS
    config = {"methods": methods, **(PUBLISHED if given.published else {})}
    runs = [measure(given.cores, config, given.peer) for _ in range(given.runs)]
    (RESULTS / "timing.json").write_text(json.dumps({"runs": runs}, indent=1) + "\n")
    show(runs)


if __name__ == "__main__":
    main()
