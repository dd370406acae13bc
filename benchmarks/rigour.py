"""Time metrics, tests and intervals of fourteen embeddings of 1,406 samples, and their agreement.

    python benchmarks/rigour.py

Makes the embeddings, from 16 to 4,096 dimensions, with source groups of one to four samples and 24
labels, and prints CPU seconds per metric, summed over the embeddings. Run it from the project's
folder, with OMP_NUM_THREADS=1 for metrics to compare with.
"""

from __future__ import annotations

import time
from collections import defaultdict

import numpy as np

from latentmap.metrics.measure import measure
from latentmap.metrics.metric import METRICS, LabelledEmbedding
from latentmap.metrics.similarity import gram, group_permutations, linear_cka, neighbor_jaccard
from latentmap.neighbors.search import NeighborOptions, find_neighbors

ROWS = 1406
DIMS = (16, 16, 16, 16, 32, 32, 64, 128, 256, 256, 1024, 4096, 4096, 4096)
LABELS = 24
COMPARED = 750
PERMUTATIONS = 100


def main() -> None:
    """Make, measure and compare the embeddings."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(ROWS), rng.integers(1, 5, ROWS))[:ROWS]
    shares = np.linspace(8, 1, LABELS)
    labels = rng.choice(LABELS, ROWS, p=shares / shares.sum())
    seconds: dict[str, float] = defaultdict(float)
    lists, grams = [], []
    for dims in DIMS:
        own, shift = rng.normal(size=(ROWS, dims))[groups], rng.normal(size=(LABELS, dims))
        values = (own + rng.normal(size=(ROWS, dims)) + 0.3 * shift[labels]).astype(np.float32)
        names = groups.astype(np.str_)
        graph = find_neighbors(names.tolist(), values, names.tolist(), NeighborOptions())
        for name in METRICS:
            coarse = (labels // 3).astype(np.str_)
            data = LabelledEmbedding(values, labels.astype(np.str_), coarse, names, graph, 1)
            start = time.process_time()
            measure(data, {name: None})
            seconds[name] += time.process_time() - start
        lists.append(graph.grouped.indices[:, :10])
        grams.append(gram(values[:COMPARED]))
    start = time.process_time()
    permutations = group_permutations(groups, PERMUTATIONS, 0)
    neighbor_jaccard(lists, np.arange(COMPARED), permutations)
    linear_cka(grams, group_permutations(groups[:COMPARED], PERMUTATIONS, 0))
    seconds["agreement of the embeddings"] = time.process_time() - start
    for name, used in sorted(seconds.items(), key=lambda one: -one[1]):
        print(f"{name:30} {used:6.2f}")
    print(f"{'all':30} {sum(seconds.values()):6.2f}")


if __name__ == "__main__":
    main()
