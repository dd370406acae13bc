"""The picture in the README can be taken from a report."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.browser

SCRIPT = Path(__file__).parents[2] / "docs" / "picture.py"


def test_the_picture_shows_the_summary_beside_a_map(report, browser, tmp_path):
    spec = importlib.util.spec_from_file_location("picture", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.take(browser, report.summary, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (2 * module.WIDTH, module.HEIGHT)
        halves = [
            picture.convert("L").crop((x, 0, x + module.WIDTH, module.HEIGHT))
            for x in (0, module.WIDTH)
        ]
    assert all(half.getextrema()[0] < 100 for half in halves)
