"""Compare the engines of UMAP and t-SNE: what the maps keep, and time in a fresh process.

    python benchmarks/projections.py [--dims 3] [--repeats 1] [--pictures DIR] [EMBEDDING …]
    python benchmarks/projections.py --large
    python benchmarks/projections.py --reference tests/project/umap_learn.json

Every engine is given the same exact neighbor graph and the options of latentmap, each time in a
process of its own. Prints the table of docs/projections.md, for the shapes of shapes.py and for
the embeddings of any run. `--reference` writes the numbers of umap-learn that a test compares with.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapes import NEIGHBORS, SHAPES, Shape, blobs, nearest, spread
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import NeighborGraph, read_graph, write_graph
from latentmap.project.projection import PROJECTIONS
from latentmap.store.tables import read_embedding

# scikit-learn's trustworthiness holds all pairs at once.
TRUST_ROWS = 3000
ENGINES = [
    ("umap", "scranpy", (2, 3)),
    ("umap", "umap-learn", (2, 3)),
    ("tsne", "manifolds-rs", (2,)),
    ("tsne", "openTSNE", (2, 3)),
]
LARGE: dict[str, Callable[[], Shape]] = {"blobs 10,000 × 128": lambda: blobs(1, 10_000, 128, 24)}
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


def run(kind: str, options: Mapping[str, Any], folder: Path, threads: int) -> Run:
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


def graph_of(values: NDArray[np.float32]) -> NeighborGraph:
    """Return the graph that latentmap gives its maps."""
    ids = [str(row) for row in range(len(values))]
    return find_neighbors(ids, values, ids, 90)


def compare(name: str, shape: Shape, given: argparse.Namespace) -> None:
    """Print one row of the table for every engine."""
    values = shape.values
    sample = np.random.default_rng(0).permutation(len(values))[:TRUST_ROWS]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.save(folder / "values.npy", values)
        write_graph(folder / "graph.parquet", graph_of(values))
        graph = read_graph(folder / "graph.parquet")
        for kind, engine, dims in ENGINES:
            if given.dims not in dims:
                continue
            options = {"engine": engine, "dims": given.dims}
            runs = [run(kind, options, folder, threads=2) for _ in range(given.repeats)]
            alone = run(kind, options, folder, threads=1)
            same = len({each.digest for each in [*runs, alone]}) == 1
            wall, cpu = (
                statistics.median(getattr(each, part) for each in runs) for part in ("wall", "cpu")
            )
            map_ = alone.coordinates
            trust = trustworthiness(values[sample], map_[sample], n_neighbors=NEIGHBORS)
            print(
                f"| {name} | {kind} {given.dims}D | {engine} | {trust:.3f} "
                f"| {recall(map_, graph):.3f} | {spread(map_, shape):.3f} | {nearest(map_):.4f} "
                f"| {np.ptp(map_, axis=0).max():.0f} | {wall:.1f} | {cpu:.1f} "
                f"| {'yes' if same else 'no'} |",
                flush=True,
            )
            if given.pictures:
                draw(given.pictures / f"{name} {kind} {engine}.png", map_, shape)


def draw(path: Path, coordinates: NDArray[np.float32], shape: Shape) -> None:
    """Draw a map, coloured by planted clusters or by the first principal component."""
    import altair as alt
    import polars as pl

    colors = shape.clusters
    if colors is None:
        colors = PROJECTIONS.create("pca").place(lambda: shape.values, graph_of(shape.values))
        colors = colors.coordinates[:, 0]
    table = pl.DataFrame({"x": coordinates[:, 0], "y": coordinates[:, 1], "color": colors})
    path.parent.mkdir(parents=True, exist_ok=True)
    with alt.data_transformers.disable_max_rows():
        alt.Chart(table, title=path.stem, width=300, height=300).mark_circle(size=12).encode(
            alt.X("x").axis(None),
            alt.Y("y").axis(None),
            alt.Color("color").scale(scheme="turbo").legend(None),
        ).save(path, scale_factor=1)


def write_reference(path: Path) -> None:
    """Write the spread and nearest distance of umap-learn on every shape, in 2D and 3D."""
    found = {}
    for name, make in SHAPES.items():
        shape = make()
        graph = graph_of(shape.values)
        for dims in (2, 3):
            projection = PROJECTIONS.create("umap", {"engine": "umap-learn", "dims": dims})
            map_ = projection.place(lambda values=shape.values: values, graph).coordinates
            numbers = {"spread": spread(map_, shape), "nearest": nearest(map_)}
            found[f"{name} {dims}D"] = {key: round(value, 4) for key, value in numbers.items()}
    path.write_text(json.dumps(found, indent=2) + "\n")


def main() -> None:
    """Print the table, or write the reference."""
    parser = argparse.ArgumentParser(description="Compare the engines of UMAP and t-SNE.")
    parser.add_argument("embeddings", nargs="*", type=Path, help="Parquet files, instead of shapes")
    parser.add_argument("--large", action="store_true", help="10,000 × 128 instead")
    parser.add_argument("--dims", type=int, choices=(2, 3), default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pictures", type=Path, help="a folder to draw the maps into")
    parser.add_argument("--reference", type=Path, help="write umap-learn's numbers instead")
    given = parser.parse_args()
    if given.reference:
        write_reference(given.reference)
        return
    shapes = LARGE if given.large else SHAPES
    if given.embeddings:
        shapes = {
            path.parts[-3]: lambda path=path: Shape(read_embedding(path)[1])
            for path in given.embeddings
        }
    numbers = ("trust", "recall", "spread", "nearest", "width", "wall s", "CPU s")
    print(f"| data | map | engine | {' | '.join(numbers)} | same bytes |")
    print(f"|---|---|---|{'---:|' * len(numbers)}---|")
    for name, make in shapes.items():
        compare(name, make(), given)


if __name__ == "__main__":
    main()
