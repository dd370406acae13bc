"""Look at some of many samples, and see how far figures of what is kept are from those of all.

    OMP_NUM_THREADS=1 python benchmarks/cap.py [--rows 8192] [--most 1024] [--draws 100]

Of more than `MOST_SAMPLES` samples so many are drawn, of whole source groups. Here one embedding of
16 dimensions has `--rows` samples in groups of one to four, with targets as in `kept.py`, of which
`--most` are drawn anew and anew. Intervals are found as those of `MOST_SAMPLES` samples are,
without what each part of the source groups does to predictions. Prints of every figure: of all
samples, its mean over the draws, how often the interval of a draw covers each of the two, and how
many times as wide it is as the ideal one, 2 × 1.96 standard deviations over the draws.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace

import numpy as np
from kept import made

from latentmap.metrics.inference import StatisticsOptions
from latentmap.targets import measure, ridge
from latentmap.targets.measure import Found


def main() -> None:
    """Print a line for every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("--rows", 8192), ("--most", 1024), ("--draws", 100)):
        parser.add_argument(name, type=int, default=default)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(options.rows), rng.integers(1, 5, options.rows))[: options.rows]
    data, table, facts = made(groups, False, 1.0, StatisticsOptions(permutations=5), rng)
    measure.MOST_SAMPLES, ridge.INFLUENCE_CELLS = options.rows, 0
    whole = {
        (one.target, one.metric): one
        for _, _, found in measure.measured(data, table, facts)
        for one in found.figures
    }
    measure.MOST_SAMPLES = options.most
    drawn: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for seed in range(options.draws):
        statistics = StatisticsOptions(permutations=5, seed=seed)
        for _, _, found in measure.measured(replace(data, statistics=statistics), table, facts):
            for one in found.figures:
                drawn[one.target, one.metric].append(one)
    for key, some in drawn.items():
        print(f"{' '.join(key):28} {told(some, whole[key].value)}")


def told(some: list[Found], whole: float) -> str:
    """Say how far the figure of a draw is from that of all samples."""
    values = np.array([one.value for one in some])
    ends = np.array([one.interval or (np.nan, np.nan) for one in some])
    of_all, of_mean = (
        np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1])) for truth in (whole, values.mean())
    )
    width = np.nanmean(ends[:, 1] - ends[:, 0]) / (2 * 1.96 * values.std())
    return (
        f"all {whole:6.3f}  drawn {values.mean():6.3f}  covers all {of_all:.2f}  mean {of_mean:.2f}"
        f"  {width:.1f} times as wide"
    )


if __name__ == "__main__":
    main()
