"""How many samples of faithful maps trust doubts, and of groups that are drawn together.

    python benchmarks/trust.py [--draws 10]

Prints a table for docs/projections.md: the share of samples whose trust is below 0.8 on maps as
they come, of those in two groups of which one is moved onto the other, and what trustworthiness
and continuity alone would give. Run it from the project's folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

sys.path.insert(0, str(Path("tests/project").absolute()))

from test_quality import in_a_plane, mapped, moved_onto, of_own_dimensions

from latentmap.neighbors.exact import find_neighbors
from latentmap.project.quality import DOUBTFUL, assess

KINDS = ("pca", "tsne", "umap")


def in_many_dimensions(random):
    """Eight groups of 60 samples in 64 dimensions."""
    group = np.repeat(np.arange(8), 60)
    values = 1.25 * random.normal(size=(8, 64))[group] + random.normal(size=(480, 64))
    return values.astype(np.float32), group


def digits(random):
    """Some of scikit-learn's handwritten digits, by digit."""
    found = load_digits()
    rows = random.permutation(len(found.data))[:600]
    return found.data[rows].astype(np.float32), found.target[rows]


DATA = {
    "seven groups in a plane, 10 dimensions": in_a_plane,
    "eight groups, 64 dimensions": in_many_dimensions,
    "groups of 20 to 100, 2 to 20 dimensions": of_own_dimensions,
    "digits": digits,
}


def graph_of(values):
    """Return the exact neighbors of rows that are all of other source groups."""
    names = [str(row) for row in range(len(values))]
    return find_neighbors(names, values, names, 90)


def doubted(values, map_):
    """Return which samples trust doubts, and which its ranks alone would, (2, N)."""
    (found,) = assess(values, [map_], 15)
    ranks = np.minimum(found.trustworthiness, found.continuity)
    return np.stack([found.trust, ranks]) < DOUBTFUL


def measured(draw, kind, draws):
    """Return shares of doubted samples, by trust and by ranks: without a fault, near, far."""
    found = [[], [], []]
    for seed in range(draws):
        values, group = draw(np.random.default_rng(seed))
        map_ = mapped(values, kind, graph_of)
        found[0].append(doubted(values, map_).mean(axis=1))
        for place, rank in ((1, 1), (2, -1)):
            for first in range(group.max() + 1):
                false_map, false = moved_onto(map_, values, group, first, rank)
                found[place].append(doubted(values, false_map)[:, false].mean(axis=1))
    return [np.mean(shares, axis=0) for shares in found]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10)
    draws = parser.parse_args().draws
    print("| data | map | as it is | neighboring groups drawn together | far groups |")
    print("|---|---|---:|---:|---:|")
    for name, draw in DATA.items():
        for kind in KINDS:
            cells = [
                f"{by_trust:.2f} ({by_ranks:.2f})"
                for by_trust, by_ranks in measured(draw, kind, draws)
            ]
            print(f"| {name} | {kind} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
