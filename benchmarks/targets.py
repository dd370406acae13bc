"""Time what one embedding keeps of twenty targets.

    OMP_NUM_THREADS=1 python benchmarks/targets.py                          # 1,406 × 64
    OMP_NUM_THREADS=1 python benchmarks/targets.py --dims 65536             # through rotated rows
    OMP_NUM_THREADS=1 python benchmarks/targets.py --rows 276000 --dims 384

Of the targets ten are numbers, two angles, four names of four values, three yes or no and one a
name of twelve; half of each kind can be read off the embedding, and a quarter is defined for the
same three quarters of the samples. Source groups have one to four samples. The neighbor graph is
given: of more than 30,000 rows it is one of random neighbors, for which the time is the same.
Prints CPU seconds of the parts and of all, and how many permutations there were.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from latentmap.metrics.inference import StatisticsOptions
from latentmap.neighbors.graph import NeighborGraph, NeighborList
from latentmap.neighbors.search import EXACT_ROWS, NeighborOptions, find_neighbors
from latentmap.targets import measure
from latentmap.targets.domain import TargetedEmbedding
from latentmap.targets.facts import TargetFacts
from latentmap.targets.values import read_values

KINDS = ("continuous",) * 10 + ("circular",) * 2 + ("categorical",) * 5 + ("binary",) * 3
WIDE = 384


def main() -> None:
    """Make one embedding and time its targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1406)
    parser.add_argument("--dims", type=int, default=64)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(options.rows), rng.integers(1, 5, options.rows))[: options.rows]
    shared = rng.normal(size=(options.rows, options.dims)).astype(np.float32)[groups]
    values = shared + rng.normal(size=shared.shape).astype(np.float32)
    graph = graph_of(values, groups, rng)
    table, facts = made(values[:, :WIDE], rng)
    if graph.rotated is not None:
        values = graph.rotated
    data = TargetedEmbedding(values, groups, graph, StatisticsOptions())
    start = time.process_time()
    del shared
    by_kind: dict[str, float] = defaultdict(float)
    draws = []
    for one, _, found in measure.measured(data, table, facts):
        now = time.process_time()
        by_kind[one.kind] += now - start
        start = now
        draws.append(len(found.figures[0].draws))
    for kind, seconds in by_kind.items():
        print(f"{kind:12} {KINDS.count(kind):3} targets {seconds:7.2f} CPU-seconds")
    print(f"all          {len(KINDS):3} targets {sum(by_kind.values()):7.2f} CPU-seconds")
    print(
        f"{min(draws)} to {max(draws)} permutations of each, {sum(draws)} in all; "
        f"{options.rows:,} × {options.dims:,}"
    )


def graph_of(values: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> NeighborGraph:
    """Return the neighbors of all rows, random ones where there are many rows."""
    ids = list(map(str, range(len(values))))
    if len(values) <= EXACT_ROWS:
        return find_neighbors(ids, values, groups.astype(str).tolist(), NeighborOptions())
    indices = rng.integers(0, len(values), (len(values), 30)).astype(np.int32)
    indices[groups[indices] == groups[:, np.newaxis]] = -1
    distances = np.sort(rng.random(indices.shape).astype(np.float32), axis=1)
    neighbors = NeighborList(indices, distances)
    return NeighborGraph(ids, neighbors, neighbors)


def made(values: np.ndarray, rng: np.random.Generator) -> tuple[pa.Table, list[TargetFacts]]:
    """Make the targets: every second one has to do with the values."""
    columns, facts = {}, []
    undefined = rng.random(len(values)) < 0.25
    for place, (kind, signal) in enumerate(zip(KINDS, signals(values, rng), strict=False)):
        if kind == "circular":
            cells = (np.degrees(signal) % 360).tolist()
        elif kind == "continuous":
            cells = signal.tolist()
        else:
            names = {"binary": 2, "categorical": 12 if place == 12 else 4}[kind]
            edges = np.quantile(signal, np.arange(1, names) / names)
            cells = [f"value {code}" for code in np.searchsorted(edges, signal)]
        if place % 4 == 3:
            cells = [None if out else cell for out, cell in zip(undefined, cells, strict=True)]
        found = read_values(cells, kind)
        columns[f"t{place}"] = found.values
        facts.append(TargetFacts(f"t{place}", f"t{place}", found.kind, "", "", 0))
    return pa.table(columns), facts


def signals(values: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield numbers for every sample, of every second of which half is in the values."""
    for place in range(len(KINDS)):
        slopes = rng.normal(size=values.shape[1]) / np.sqrt(values.shape[1])
        noise = rng.normal(size=len(values))
        yield values @ slopes + noise if place % 2 == 0 else noise


if __name__ == "__main__":
    main()
