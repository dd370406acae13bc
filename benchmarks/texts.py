"""Time the whole workflow on embeddings of texts: 276,000 vectors of 384 dimensions.

    python benchmarks/texts.py [--rows 276000] [--cores 2]

Makes the vectors of benchmarks/scale.py with their clusters as labels, runs the workflow on them
from nothing (30 neighbors, PCA, UMAP in 2D and 3D, metrics, trust, report and explorer), then once
more with nothing to do, and prints seconds per rule. Run it from the project's folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from analysis import show, timed
from scale import GROUP, clusters

from latentmap.neighbors.graph import read_graph

INPUT = Path("results/texts-input")
CONFIG: dict[str, Any] = {
    "neighbors": {"k": 30},
    "projections": {"tsne": None, "umap3d": {"kind": "umap", "dims": 3}},
}


def write_input(path: Path, rows: int) -> None:
    """Write vectors with an id, a label and a source group each."""
    values, members = clusters(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        embeddings=values,
        ids=[f"text{row:07d}" for row in range(rows)],
        labels=[f"cluster {member}" for member in members],
        source_groups=[f"group {row // GROUP}" for row in range(rows)],
    )


def main() -> None:
    """Make the input, run the workflow twice and print what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=276_000)
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    name = f"texts-{given.rows}"
    path, folder = INPUT / f"{name}.npz", Path("results") / name
    if not path.exists():
        write_input(path, given.rows)
    shutil.rmtree(folder, ignore_errors=True)
    columns = {"id": "ids", "label": "labels", "source_group": "source_groups"}
    sources = [{"kind": "vectors", "columns": columns}]
    config = {"run": name, "input": str(path), "samples": {"sources": sources}, **CONFIG}
    (INPUT / "config.json").write_text(json.dumps(config))
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", str(given.cores)),
        *("--configfile", "config/vectors.yaml", str(INPUT / "config.json")),
    ]
    print(f"load before: {os.getloadavg()[0]:.1f}")
    full, again = (timed(command, INPUT / "notes") for _ in range(2))
    show([{**full, "again": again, "peer": None}])
    graph = read_graph(folder / "neighbors/vectors/plain/flatten.parquet")
    print(f"\nneighbors: {json.dumps(graph.exactness)}; load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
