"""What jobs ask for is what they were measured to take, with room."""

import re
from pathlib import Path

import pytest

from latentmap.memory import NEEDS, Size

ROOT = Path(__file__).parents[1]
WIDE = Size(samples=6144, dims=1024)

# Peaks in MB, of benchmarks/memory.py and of docs/performance.md.
MEASURED = [
    ("find_neighbors", WIDE, 371),
    ("find_neighbors", Size(276_000, 384), 3300),
    ("find_neighbors", Size(1406, 65_536), 1066),
    ("measure_embedding", WIDE, 501),
    ("measure_embedding", Size(60_000, 384), 400),
    ("project_embedding", WIDE, 289),
    ("project_embedding", Size(276_000, 384), 1300),
    ("assess_maps", WIDE, 1121),
    ("pool_latents", Size(10_240, 4096, 512 * 4096), 222),
    ("inspect_latents", Size(10_240, 4096, 512 * 4096), 161),
    ("export_latents", Size(10_240, 4096, 512 * 4096), 238),
    ("write_explorer", Size(276_000, 384), 649),
]


@pytest.mark.parametrize(("rule", "size", "peak"), MEASURED)
def test_a_job_asks_for_what_it_was_measured_to_take_and_not_for_a_machine(rule, size, peak):
    assert peak < NEEDS[rule].mb(size) < 4 * peak + 2000


def test_a_job_that_had_too_little_is_given_more():
    for need in NEEDS.values():
        first, second, third = (need.mb(WIDE, attempt) for attempt in (1, 2, 3))
        assert first < second < third


def test_every_rule_that_asks_is_known_and_none_besides():
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    assert set(re.findall(r'memory\("(\w+)"\)', rules)) == set(NEEDS)
    assert "mem_mb" not in re.sub(r'mem_mb=memory\("\w+"\)', "", rules)
