"""Draw samples and targets anew, and see how often p-values and intervals of what is kept err.

    OMP_NUM_THREADS=1 python benchmarks/kept.py [--draws 200]

Samples have 16 dimensions; a target of each kind belongs to samples or to source groups, and has
nothing to do with the embedding or half of its variance from it. Prints of every figure: its mean,
its mean chance level, how often p is 0.05 or less (without a signal), and with one how often the
interval covers the mean, and how many times as wide it is as the ideal one, 2 × 1.96 standard
deviations over the draws.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from latentmap.metrics.inference import StatisticsOptions
from latentmap.neighbors.exact import find_neighbors
from latentmap.targets.domain import TargetedEmbedding
from latentmap.targets.facts import TargetFacts
from latentmap.targets.measure import Found, measured
from latentmap.targets.values import read_values

KINDS = ("continuous", "circular", "categorical", "binary")
ROWS, DIMS = 150, 16
# Without a signal so many permutations tell whether p is 0.05; with one, intervals need none.
PERMUTATIONS = {0.0: 39, 1.0: 5}
Grouping = Callable[[np.random.Generator], np.ndarray]


def alone(rng: np.random.Generator) -> np.ndarray:
    """Every sample a source group of its own."""
    return np.arange(ROWS)


def groups_of_one_to_four(rng: np.random.Generator) -> np.ndarray:
    """Source groups of one to four samples."""
    return np.repeat(np.arange(ROWS), rng.integers(1, 5, ROWS))[:ROWS]


STRUCTURES: dict[str, tuple[Grouping, bool]] = {
    "every sample alone": (alone, False),
    "groups of 1 to 4, targets of samples": (groups_of_one_to_four, False),
    "groups of 1 to 4, targets of groups": (groups_of_one_to_four, True),
}


def main() -> None:
    """Print a table for every structure, without and with a signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    for name, (grouping, whole) in STRUCTURES.items():
        for signal in (0.0, 1.0):
            print(f"{name}, {'a' if signal else 'no'} signal", flush=True)
            found: dict[str, list[Found]] = defaultdict(list)
            for number in range(draws):
                for one in drawn(grouping, whole, signal, number):
                    found[f"{one.target} {one.metric}"].append(one)
            for title, some in found.items():
                print(f"  {title:28} {told(some, signal)}", flush=True)


def drawn(grouping: Grouping, whole: bool, signal: float, number: int) -> Iterator[Found]:
    """Yield the figures of one draw.

    Args:
        grouping: gives the source groups.
        whole: whether samples of a group have the same targets.
        signal: what the embedding adds to a target, beside noise of deviation 1.
        number: of the draw.
    """
    rng = np.random.default_rng((7, number))
    statistics = StatisticsOptions(permutations=PERMUTATIONS[signal], seed=number)
    data, table, facts = made(grouping(rng), whole, signal, statistics, rng)
    for _, _, one in measured(data, table, facts):
        yield from one.figures


def made(
    groups: np.ndarray,
    whole: bool,
    signal: float,
    statistics: StatisticsOptions,
    rng: np.random.Generator,
) -> tuple[TargetedEmbedding, pa.Table, list[TargetFacts]]:
    """Make one embedding and a target of each kind; the arguments are those of `drawn`."""
    rows = len(groups)
    slopes = np.random.default_rng(1).normal(size=(DIMS, 5)) / np.sqrt(DIMS)
    own = rng.normal(size=(rows, DIMS))[groups]
    values = own + 0.7 * rng.normal(size=(rows, DIMS))
    noise = rng.normal(size=(rows, 5))
    told = signal * ((own if whole else values) @ slopes) + (noise[groups] if whole else noise)
    columns = {
        "continuous": told[:, 0],
        "circular": np.degrees(np.arctan2(told[:, 1], told[:, 2])) % 360,
        "categorical": np.where(told[:, 3] > 1, "c", np.where(told[:, 3] > 0, "b", "a")),
        "binary": np.where(told[:, 4] > 0.5, "yes", "no"),
    }
    table = {kind: read_values(columns[kind].tolist(), kind).values for kind in KINDS}
    facts = [TargetFacts(kind, kind, kind, "", "", rows) for kind in KINDS]
    narrow = values.astype(np.float32)
    graph = find_neighbors([*map(str, range(rows))], narrow, groups.astype(str).tolist(), 30)
    return TargetedEmbedding(narrow, groups, graph, statistics), pa.table(table), facts


def told(some: list[Found], signal: float) -> str:
    """Say how often one figure errs over all draws."""
    values = np.array([one.value for one in some])
    chance = np.mean([one.chance for one in some])
    text = f"mean {values.mean():6.3f}  chance {chance:6.3f}  "
    if not signal:
        small = np.mean([one.p_value is not None and one.p_value <= 0.05 for one in some])
        return f"{text}p ≤ 0.05 in {small:.3f}"
    ends = np.array([one.interval or (np.nan, np.nan) for one in some])
    covers = np.mean((ends[:, 0] <= values.mean()) & (values.mean() <= ends[:, 1]))
    width = np.nanmean(ends[:, 1] - ends[:, 0]) / (2 * 1.96 * values.std())
    return f"{text}covers {covers:.3f}  {width:.1f} times as wide"


if __name__ == "__main__":
    main()
