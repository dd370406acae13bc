"""Hold what is said of many methods to what it promises, and tell what else would be said.

    python benchmarks/comparisons.py [--draws 500]

Draws the data of tests/metrics/test_simultaneous.py anew many times and prints tables for
docs/statistics.md. Run it from the project's folder, with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path("tests/metrics").absolute()))

from test_replication import COUNT, METHODS, predicted_and_seen
from test_simultaneous import draw, draw_ties, pairwise, skewed

from latentmap.metrics.simultaneous import GroupMeans, best_minus_best, p_best, p_different

RESAMPLES = 300
SIZES = ((12, 5), (12, 24), (12, 98), (40, 24), (100, 24), (100, 98), (400, 24), (400, 98))
SIGNALS = (0.4, 0.6)


def twins(rng, count, levels):
    """Draw scores of which a third are the same up to rounding."""
    scores, groups = draw(rng, count, levels)
    same = len(levels) // 3
    scores[:, :same] = scores[:, :1]
    return (scores + 1e-8 * rng.normal(size=scores.shape)).astype(np.float32), groups


KINDS = {
    "normal": draw,
    "skewed": lambda *given: draw(*given, skewed),
    "ties": draw_ties,
    "twins": twins,
}


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=500)
    draws = parser.parse_args().draws
    equal_methods(draws)
    leaders(draws)
    fresh_samples(draws)


def equal_methods(draws: int) -> None:
    """Print how often something is said of equal methods, the last of which is a baseline."""
    print("| scores | source groups | methods | any lower | one by one | the best beats", end="")
    print(" a baseline | any changed by boxes | interval of the best covers | its width |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for kind, drawn in KINDS.items():
        for count, methods in SIZES:
            found = [_said(drawn, count, methods, seed) for seed in range(draws)]
            lower, alone, beats, changed, covered, width = np.mean(found, axis=0)
            print(f"| {kind} | {count} | {methods} | {lower:.3f} | {alone:.2f} |", end="")
            print(f" {beats:.3f} | {changed:.3f} | {covered:.2f} | {width:.2f} |", flush=True)


def _said(drawn, count: int, methods: int, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    scores, groups = drawn(rng, count, np.zeros(methods))
    means = GroupMeans.of(scores, groups, RESAMPLES, seed)
    expected = 0.3 if drawn is draw_ties else 0.0
    everyone = list(range(methods))
    best = int(means.values.argmax())
    (low, high), (low_alone, high_alone) = (means.means(s).band() for s in (everyone, [best]))
    half = methods // 2
    pairs = [(method, method + half) for method in range(half)]
    return [
        (p_best(means, everyone) <= 0.05).any(),
        pairwise(scores, groups, rng).any(),
        best_minus_best(means, everyone[:-1], everyone[-1:])[0] > 0,
        (p_different(means, pairs) <= 0.05).any(),
        low[best] <= expected <= high[best],
        (high[best] - low[best]) / (high_alone - low_alone)[0],
    ]


def leaders(draws: int) -> None:
    """Print how often methods that are lower are found to be, and how often one by one."""
    print("\n| source groups | methods | below by | found | one by one | lead found |")
    print("|---:|---:|---:|---:|---:|---:|")
    for count, methods in ((40, 24), (100, 24), (100, 98), (400, 98)):
        for signal in SIGNALS:
            found = [_lower(count, methods, signal, seed) for seed in range(draws // 5)]
            lower, alone, lead = np.mean(found, axis=0)
            print(f"| {count} | {methods} | {signal} | {lower:.2f} | {alone:.2f} |", end="")
            print(f" {lead:.2f} |", flush=True)


def _lower(count: int, methods: int, signal: float, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    scores, groups = draw(rng, count, np.repeat([signal, 0.0], [1, methods - 1]))
    means = GroupMeans.of(scores, groups, RESAMPLES, seed)
    excluded = p_best(means, range(methods)) <= 0.05
    return [excluded[1:].mean(), pairwise(scores, groups, rng)[1:].mean(), excluded[1:].all()]


def fresh_samples(draws: int) -> None:
    """Print what is predicted of fresh samples, and what they are like."""
    truths = {
        "equal": lambda rng: np.zeros(METHODS),
        "a little apart": lambda rng: 0.1 * rng.normal(size=METHODS),
        "apart": lambda rng: 0.3 * rng.normal(size=METHODS),
        "one ahead": lambda rng: np.repeat([0.6, 0.0], [1, METHODS - 1]),
        "two ahead": lambda rng: np.repeat([0.9, 0.0], [2, METHODS - 2]),
    }
    print(f"\n{METHODS} methods, {COUNT} source groups")
    print("| methods | best kept: predicted | seen | tau: predicted | seen | in its range |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, levels in truths.items():
        rng = np.random.default_rng(0)
        found = [predicted_and_seen(rng, levels(rng)) for _ in range(draws)]
        keeps, expected, kept, tau, inside = np.mean(np.array(found, float), axis=0)
        print(f"| {name} | {keeps:.2f} | {kept:.2f} | {expected:.2f} | {tau:.2f} |", end="")
        print(f" {inside:.2f} |", flush=True)


if __name__ == "__main__":
    main()
