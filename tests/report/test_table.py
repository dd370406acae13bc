import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from latentmap.metrics.metric import HEADLINE as HONEST


def test_three_formats_say_the_same(report):
    folder = report.report
    parquet = pl.read_parquet(folder / "metrics_table.parquet")
    csv = pl.read_csv(folder / "metrics_table.csv", schema=parquet.schema)
    records = pl.DataFrame(
        json.loads((folder / "metrics_table.json").read_text()), schema=parquet.schema
    )
    assert_frame_equal(parquet, csv, check_exact=True)
    assert_frame_equal(parquet, records, check_exact=True)


def test_rows_are_in_the_given_order_with_the_planted_metrics(report):
    table = pl.read_parquet(report.report / "metrics_table.parquet")
    assert table.select("encoder", "variant", "method").rows() == list(report.metrics)
    row = table.filter(encoder="tiny-vae", variant="plain", method="mean").to_dicts()[0]
    assert row[HONEST] == pytest.approx(0.30)
    assert row[f"{HONEST}_chance"] == 0.09
    assert (row[f"{HONEST}_low"], row[f"{HONEST}_high"]) == pytest.approx((0.28, 0.32))
    assert row[f"{HONEST}_effect"] == pytest.approx(0.21 / 0.91)
    assert row[f"{HONEST}_p_value"] == 0.001
    assert row["calinski_harabasz"] is None
    assert "silhouette_chance" not in row
