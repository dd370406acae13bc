"""The picture of the rules in the docs is that of today's workflow."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "rules.svg"


def test_the_picture_shows_the_rules_of_the_default_run(fresh):
    graph = fresh.run_snakemake("--quiet", "all", "--rulegraph")
    shown = re.findall(r">(\w+)</text>", PICTURE.read_text("utf-8"))
    assert sorted(shown) == sorted(re.findall(r'label = "(\w+)"', graph)), "Run `make docs`."
