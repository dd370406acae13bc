"""The page of counterfactual pairs."""

import re

import pyarrow as pa
import pytest

from latentmap.report.page import pages_of
from latentmap.report.publish import read_chart
from latentmap.store import results as book
from latentmap.store.tables import write_parquet

SIDE = {"change": "first_side", "before": "left", "after": "right", "pairs": 40}
LIGHT = {"change": "light", "before": "", "after": "", "pairs": 30}


def row(encoder, method, change, direction, p=0.001, size=0.5):
    return {
        **{"encoder": encoder, "variant": "plain", "method": method, "baseline": encoder == "dct"},
        **change,
        **{"direction": direction, "low": direction - 0.1, "high": direction + 0.1},
        **{"chance": 0.0, "p": p, "p_adjusted": p, "unchanged": 0, "groups": 20},
        **{"size": size, "size_low": size - 0.1, "size_high": size + 0.1, "beside": "light"},
    }


@pytest.fixture
def page(fake_run, tmp_path):
    run = fake_run.copy(tmp_path / "paired", pairs={"changes": ["first_side", "light"]})
    rows = [
        row("tiny-vae", "patch4", SIDE, 0.62),
        row("tiny-vae", "region", SIDE, 0.31),
        row("tiny-vae", "mean", SIDE, 0.02, p=0.6, size=0.05),
        row("tiny-vae", "patch4", LIGHT, 0.01, p=0.7),
        row("tiny-vae", "region", LIGHT, 0.02, p=0.5),
        row("tiny-vae", "mean", LIGHT, 0.9, size=1.0),
        row("dct", "mean", SIDE, 0.01, p=0.9),
        row("dct", "mean", LIGHT, 0.8),
    ]
    write_parquet(run.results.path(book.PAIRS), pa.Table.from_pylist(rows))
    return run, run.write("directions")


def test_it_says_of_every_change_where_it_is_a_direction(page):
    said = dict(re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", page[1]))
    assert said == {
        "First side (left → right)": "a direction in patch4 and region (0.31–0.62); none in mean "
        "(≤ 0.02); in no baseline; 0.05 to 0.50 times as large as that of light, most in "
        "region.",
        "Light": "a direction in mean (0.90); none in patch4 and region (≤ 0.02); in the best "
        "baseline, dct, 0.80.",  # it is what others are held beside
    }


def test_the_summary_tells_of_it(page):
    run, _ = page
    assert (
        "<li>Between samples that differ in first side (left → right) alone, the change is a "
        "direction in patch4 and region (0.31–0.62); none in mean (≤ 0.02); in no baseline; "
        "0.05 to 0.50 times as large as that of light, most in region.</li>"
    ) in run.write("summary")


def test_a_cell_says_how_large_the_change_is(page):
    cell = re.search(r'title="([^"]*)">0.62</td>', page[1])[1]
    assert cell == (
        "mean cosine of two differences 0.620; chance 0; 95 % interval 0.520 to 0.720; adjusted p "
        "= 0.001; 40 pairs; 0.50 (0.40 to 0.60) times as large as that of light"
    )
    assert 'class="families"' not in page[1]


def test_the_chart_has_size_and_direction_of_every_embedding(page):
    run, _ = page
    tables = read_chart(run.report / "comparisons" / "directions.html", "directions")["datasets"]
    rows = max(tables.values(), key=len)
    assert {(one["embedding"], one["t"]): (one["size"], one["direction"]) for one in rows}[
        "patch4", 0
    ] == (0.5, 0.62)
    assert len(rows) == 8


def test_a_run_without_pairs_has_no_such_page(report):
    assert "directions" not in [page.kind for page in pages_of(report.results)]
