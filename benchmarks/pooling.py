"""Compare pooling a run's latents with what NumPy takes to reduce the same bytes.

    python benchmarks/pooling.py [--repeats 5] [--precision float16] [method ...]

Makes 1,406 latents of (16, 64, 64) and prints CPU seconds: of the bare reduction, which converts
blocks to float32 and takes the mean over all positions, and of each method, reading the
memory-mapped file, pooling, and writing the embedding.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from latentmap.pool.embed import pool_latents
from latentmap.pool.method import METHODS
from latentmap.store.latents import read_latents, write_latents
from latentmap.store.tables import write_arrow

COUNT, SHAPE = 1406, (16, 64, 64)
BLOCK = 2
BOX = [[10.0, 10.0, 200.0, 150.0], [60.0, 40.0, 250.0, 250.0]]


def make(folder: Path, precision: str) -> tuple[Path, Path]:
    """Write latents and their samples, and return their paths."""
    random = np.random.default_rng(0)
    ids = [f"sample-{row:04d}" for row in range(COUNT)]
    values = random.standard_normal((COUNT, *SHAPE), np.float32).astype(precision)
    write_latents(folder / "latents.arrow", ids, values, {})
    table = {"id": ids, "boxes": [BOX] * COUNT, "width": [512] * COUNT, "height": [512] * COUNT}
    write_arrow(folder / "samples.arrow", pa.table(table))
    return folder / "latents.arrow", folder / "samples.arrow"


def reduce_bare(latents: Path) -> None:
    """Take the mean of every channel, block by block."""
    values = read_latents(latents).values
    for start in range(0, COUNT, BLOCK):
        values[start : start + BLOCK].astype(np.float32).mean(axis=(2, 3))


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median CPU time of some runs, after one that warms the page cache."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> None:
    """Print one line for each method."""
    parser = argparse.ArgumentParser(description="Compare pooling with a bare NumPy reduction.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--precision", choices=["float16", "float32"], default="float16")
    parser.add_argument("methods", nargs="*", default=METHODS.names())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        latents, samples = make(Path(temporary), given.precision)
        bare = cpu_seconds(lambda: reduce_bare(latents), given.repeats)
        print(f"bare reduction of {given.precision}: {bare:.2f} CPU s\n")
        print("| method | CPU s | times the bare reduction |\n|---|---:|---:|")
        for name in given.methods:
            method, output = METHODS.create(name), Path(temporary) / "embedding.parquet"
            taken = cpu_seconds(
                lambda method=method, output=output: pool_latents(
                    method, [latents], [samples], output
                ),
                given.repeats,
            )
            print(f"| {name} | {taken:.2f} | {taken / bare:.1f} |", flush=True)


if __name__ == "__main__":
    main()
