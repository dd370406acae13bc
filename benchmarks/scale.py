"""What 276,000 texts' embeddings cost: neighbors, density and a 3D map, each in its own process.

    python benchmarks/scale.py [--rows 276000] [--k 30] [--folder DIR] [--more] [--peer]

The input is made: unit vectors of 384 dimensions, as sentence encoders give them, in 300 clusters
of unequal size with 24 main directions each. `--more` measures all metrics and assesses the map
too; `--peer` lets PyNNDescent, which umap-learn searches with, look for 15 neighbors.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.neighbors.graph import read_graph
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import read_parquet, write_arrow, write_embedding

DIMS, CLUSTERS, DIRECTIONS = 384, 300, 24
GROUP = 3

# What one job does, without Snakemake.
JOBS = {
    "neighbors": """
from latentmap.neighbors.search import NeighborOptions, find_graph
find_graph("embedding.parquet", ["samples.arrow"], NeighborOptions(k=K), "neighbors.parquet")
""",
    "density": """
from latentmap.metrics.density import local_density, write_sampling_weights
from latentmap.neighbors.graph import read_graph
graph = read_graph("neighbors.parquet")
found = local_density(graph, 10)
write_sampling_weights("weights.parquet", graph.ids, found, 10, graph.exactness)
""",
    "umap 3D": """
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
umap = PROJECTIONS.create("umap", {"dims": 3})
project_embedding("embedding.parquet", "neighbors.parquet", ["samples.arrow"], umap, "map.parquet")
""",
}
MORE = {
    "metrics": """
from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import measure_embedding
from latentmap.metrics.metric import METRICS
from latentmap.neighbors.search import NeighborOptions
measure_embedding(
    "embedding.parquet", "neighbors.parquet", ["samples.arrow"], dict.fromkeys(METRICS),
    StatisticsOptions(), DensityOptions(), NeighborOptions(k=K),
    "metrics.json", "scores.parquet", "weights.parquet",
)
""",
    "trust": """
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import TrustOptions, assess_maps
assess_maps(
    "embedding.parquet", "neighbors.parquet", ["samples.arrow"], ["map.parquet"],
    [PROJECTIONS.create("umap", {"dims": 3})], TrustOptions(seeds=0), ["trust.parquet"],
)
""",
}
PEER = {
    "PyNNDescent, k 15": """
from pynndescent import NNDescent
from latentmap.store.tables import read_embedding
NNDescent(read_embedding("embedding.parquet")[1], n_neighbors=16, random_state=0, n_jobs=2)
""",
}


def clusters(rows: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return (rows, DIMS) unit vectors and the cluster of each."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLUSTERS, DIMS))
    members = rng.choice(CLUSTERS, rows, p=rng.dirichlet(np.ones(CLUSTERS)))
    values = np.empty((rows, DIMS), np.float32)
    for cluster, centre in enumerate(centres):
        own = np.flatnonzero(members == cluster)
        directions = rng.normal(size=(DIRECTIONS, DIMS)) / DIRECTIONS**0.5
        along = rng.normal(size=(len(own), DIRECTIONS)) @ directions
        values[own] = centre + along + 0.3 * rng.normal(size=(len(own), DIMS))
    return values / np.linalg.norm(values, axis=1, keepdims=True), members


def write_input(folder: Path, rows: int) -> None:
    """Write the embedding and its samples; three texts in a row share a source group."""
    values, members = clusters(rows)
    ids = [f"text{row:07d}" for row in range(rows)]
    write_embedding(folder / "embedding.parquet", ids, values, 1)
    columns: dict[str, list[str | None]] = {
        "id": list(ids),
        "label": [f"cluster {member}" for member in members],
        "source_group": [f"group {row // GROUP}" for row in range(rows)],
    }
    columns["label_group"] = columns["label"]
    for name in ("source", "digest"):
        columns[name] = [""] * rows
    fields = [field for field in SCHEMA if field.name in columns]
    table = pa.table({f.name: columns[f.name] for f in fields}, schema=pa.schema(fields))
    write_arrow(folder / "samples.arrow", table)


def run(job: str, folder: Path) -> tuple[float, float, float]:
    """Run a job in a fresh process: seconds of wall and of CPU, and its peak memory in GB."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", job], cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"a job failed with exit code {process.returncode}")
    wall = time.perf_counter() - start
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20


def main() -> None:
    """Make the input, run every job and print what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=276_000)
    parser.add_argument("--k", type=int, default=30)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--peer", action="store_true")
    arguments = parser.parse_args()
    jobs = JOBS | (MORE if arguments.more else {}) | (PEER if arguments.peer else {})
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write_input(folder, arguments.rows)
        print(f"{arguments.rows:,} x {DIMS}, k = {arguments.k}")
        print(f"{'job':20}{'wall s':>9}{'CPU s':>9}{'peak GB':>9}{'load':>7}")
        for name, job in jobs.items():
            wall, cpu, peak = run(f"K = {arguments.k}\n{job}", folder)
            load = os.getloadavg()[0]
            print(f"{name:20}{wall:9.1f}{cpu:9.1f}{peak:9.2f}{load:7.1f}", flush=True)
        print(f"neighbors: {json.dumps(read_graph(folder / 'neighbors.parquet').exactness)}")
        facts = read_parquet(folder / "weights.parquet", ["id"]).schema.metadata[b"latentmap"]
        print(f"density: {facts.decode()}")


if __name__ == "__main__":
    main()
