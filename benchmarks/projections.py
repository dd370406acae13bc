"""Compare the engines of UMAP and t-SNE: time in a fresh process, and what the maps keep.

    python benchmarks/projections.py [--large] [--repeats 3]

Every engine is given the same exact neighbor graph and the options of latentmap, each time in a
process of its own. Prints the table of docs/projections.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import NeighborGraph, read_graph, write_graph

NEIGHBORS = 15
# scikit-learn's trustworthiness holds all pairs at once.
TRUST_ROWS = 3000
Engines = list[tuple[str, dict[str, Any]]]
ENGINES: Engines = [
    ("umap", {"engine": "manifolds-rs"}),
    ("umap", {"engine": "umap-learn"}),
    ("umap", {"engine": "manifolds-rs", "dims": 3}),
    ("umap", {"engine": "umap-learn", "dims": 3}),
    ("tsne", {"engine": "manifolds-rs"}),
    ("tsne", {"engine": "openTSNE"}),
    ("tsne", {"engine": "openTSNE", "dims": 3}),
]
# What one job does, without Snakemake and without reading and writing tables.
JOB = """
import sys, json, numpy as np
from latentmap.neighbors.graph import read_graph
from latentmap.project.projection import PROJECTIONS
kind, options, values, graph, output = sys.argv[1:]
projection = PROJECTIONS.create(kind, json.loads(options))
layout = projection.place(lambda: np.load(values), read_graph(graph))
np.save(output, layout.coordinates)
"""


@dataclass(frozen=True)
class Run:
    """One map made in a process of its own."""

    wall: float
    cpu: float
    coordinates: NDArray[np.float32]

    @property
    def digest(self) -> str:
        """Hash of the coordinates."""
        return hashlib.sha256(self.coordinates.tobytes()).hexdigest()


def mixture(rows: int, dims: int, clusters: int = 24) -> NDArray[np.float32]:
    """Rows of a seeded mixture of Gaussians whose clusters touch."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(clusters, dims))
    labels = random.integers(clusters, size=rows)
    return (centres[labels] + random.normal(size=(rows, dims))).astype(np.float32)


def run(kind: str, options: dict[str, Any], folder: Path, threads: int) -> Run:
    """Make one map in a fresh process and measure the whole process."""
    output = folder / "map.npy"
    arguments = [kind, json.dumps(options), folder / "values.npy", folder / "graph.parquet", output]
    variables = ("RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    before = os.times()
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, *map(str, arguments)],
        env={**os.environ, **dict.fromkeys(variables, str(threads))},
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{kind} {options} failed")
    wall = os.times().elapsed - before.elapsed
    cpu = usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, np.load(output))


def recall(coordinates: NDArray[np.float32], graph: NeighborGraph) -> float:
    """Share of the nearest neighbors in the graph that are nearest on the map too."""
    search = NearestNeighbors(n_neighbors=NEIGHBORS).fit(coordinates)
    found = search.kneighbors(return_distance=False)
    pairs = zip(found, graph.every.indices[:, :NEIGHBORS], strict=True)
    return float(np.mean([len(set(a) & set(b)) / NEIGHBORS for a, b in pairs]))


def compare(name: str, values: NDArray[np.float32], engines: Engines, repeats: int) -> None:
    """Print one row of the table for every engine."""
    ids = [str(row) for row in range(len(values))]
    sample = np.random.default_rng(0).permutation(len(values))[:TRUST_ROWS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.save(folder / "values.npy", values)
        write_graph(folder / "graph.parquet", find_neighbors(ids, values, ids, 90))
        graph = read_graph(folder / "graph.parquet")
        for kind, options in engines:
            runs = [run(kind, options, folder, threads=2) for _ in range(repeats)]
            alone = run(kind, options, folder, threads=1)
            same = len({each.digest for each in [*runs, alone]}) == 1
            wall, cpu = (
                statistics.median(getattr(each, figure) for each in runs)
                for figure in ("wall", "cpu")
            )
            coordinates = runs[0].coordinates
            trust = trustworthiness(values[sample], coordinates[sample], n_neighbors=NEIGHBORS)
            print(
                f"| {name} | {kind} {coordinates.shape[1]}D | {options['engine']} | {wall:.1f} "
                f"| {cpu:.1f} | {trust:.3f} | {recall(coordinates, graph):.3f} "
                f"| {'yes' if same else 'no'} |",
                flush=True,
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare the engines of UMAP and t-SNE.")
    parser.add_argument("--large", action="store_true", help="10,000 × 128 instead, 2D only")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    print("| data | map | engine | wall s | CPU s | trust | recall | same bytes |")
    print("|---|---|---|---:|---:|---:|---:|---|")
    if given.large:
        flat = [engine for engine in ENGINES if engine[1].get("dims") != 3]
        compare("mixture 10,000 × 128", mixture(10_000, 128), flat, given.repeats)
        return
    compare("mixture 1,406 × 32", mixture(1406, 32), ENGINES, given.repeats)
    compare("digits 1,797 × 64", load_digits().data.astype(np.float32), ENGINES, given.repeats)


if __name__ == "__main__":
    main()
