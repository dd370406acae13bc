"""Hold permutation tests to their size, and tell their power, over structures of source groups.

    python benchmarks/calibration.py [--draws 1000]

Draws the data of tests/metrics/test_calibration.py anew many times and prints a table for
docs/statistics.md. Run it from the project's folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path("tests/metrics").absolute()))

from test_calibration import STRUCTURES, p_values

from conftest import embed

SIGNAL = 1.0


def main() -> None:
    """Print size and power of every structure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    print("| source groups and labels | p ≤ 0.05 without a difference | with one |")
    print("|---|---:|---:|")
    for structure in STRUCTURES:
        without = p_values(embed, structure, count=draws)[:, 1]
        with_one = p_values(embed, structure, signal=SIGNAL, count=draws // 5)[:, 1]
        name = structure.__name__.replace("_", " ")
        shares = [(found <= 0.05).mean() for found in (without, with_one)]
        print(f"| {name} | {shares[0]:.3f} | {shares[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
