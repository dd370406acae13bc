"""Hold permutation tests and intervals to what they promise, over structures of source groups.

    python benchmarks/calibration.py [--draws 1000]

Draws the data of tests/metrics/test_calibration.py anew many times and prints the tables of
docs/statistics.md: size and power of the tests, coverage and width of the intervals. Run it from
the project's folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path("tests/metrics").absolute()))

from test_calibration import STRUCTURES, WITH_INTERVALS, coverage, intervals, p_values

from conftest import embed

SIGNAL = 1.0
SIGNALS = (0.0, 1.0, 3.0)
AVERAGES = ("knn_category_acc_grouped", "knn_category_acc_macro_grouped")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    print("| source groups and labels | p ≤ 0.05 without a difference | with one |")
    print("|---|---:|---:|")
    for structure in STRUCTURES:
        without = p_values(embed, structure, count=draws)[:, 1]
        with_one = p_values(embed, structure, signal=SIGNAL, count=draws // 5)[:, 1]
        size, power = ((found <= 0.05).mean(axis=0) for found in (without, with_one))
        cells = "{:.3f}, {:.3f} | {:.2f}, {:.2f}".format(*size, *power)
        print(f"| {_name(structure)} | {cells} |", flush=True)
    print("\n| source groups and labels | over samples | over labels |")
    print("|---|---|---|")
    for structure in WITH_INTERVALS:
        found = [intervals(embed, structure, signal, draws // 2) for signal in SIGNALS]
        cells = [
            ", ".join("{:.3f} ({:.1f})".format(*coverage(one[name])) for one in found)
            for name in AVERAGES
        ]
        print(f"| {_name(structure)} | {' | '.join(cells)} |", flush=True)


def _name(structure: object) -> str:
    return structure.__name__.replace("_", " ")


if __name__ == "__main__":
    main()
