import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from latentmap.metrics.metric import HEADLINE as HONEST
from latentmap.metrics.metric import Measurement
from latentmap.report.experiments import Experiment, Key
from latentmap.report.table import metrics_table


def test_three_formats_say_the_same(report):
    folder = report.report
    parquet = pl.read_parquet(folder / "metrics_table.parquet")
    csv = pl.read_csv(folder / "metrics_table.csv", schema=parquet.schema)
    records = pl.DataFrame(
        json.loads((folder / "metrics_table.json").read_text()), schema=parquet.schema
    )
    assert_frame_equal(parquet, csv, check_exact=True)
    assert_frame_equal(parquet, records, check_exact=True)


def test_counts_are_whole_numbers_and_metrics_are_not(report):
    types = pl.read_parquet_schema(report.report / "metrics_table.parquet")
    counts = {name for name, kind in types.items() if kind == pl.Int64}
    assert counts == {"n_dimensions", "n_tokens", "effective_dim_90"}
    assert "16," in (report.report / "metrics_table.csv").read_text()
    assert '"n_dimensions": 16,' in (report.report / "metrics_table.json").read_text()


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


def test_a_row_says_what_the_method_does_and_what_it_gives(report):
    row = (
        pl.read_parquet(report.report / "metrics_table.parquet")
        .filter(method="max")
        .row(0, named=True)
    )
    assert row["description"] == "What max does."
    assert row["output_shape"] == "(N, 64)"


def test_shares_stand_beside_their_chance_and_uniform_chance():
    """Of 24 labels 0.155 is 3.7 times uniform chance, and 2.5 times a chance level of 0.062."""
    measured = {
        "knn_category_acc": Measurement(0.155, chance=0.062, effect=0.1),
        "knn_group_acc": Measurement(0.4, chance=0.25, effect=0.2),
        "random_baseline_category": Measurement(1 / 24),
        "random_baseline_group": Measurement(1 / 6),
        "hubness_skew": Measurement(2.0, chance=1.0),
        "silhouette": Measurement(-0.1),
    }
    table = metrics_table([Experiment(Key("vae", "plain", "max"), measured, {})], {})
    assert table["knn_category_acc_times_chance"][0] == pytest.approx(2.5)
    assert table["knn_category_acc_times_uniform_chance"][0] == pytest.approx(3.72)
    assert table["knn_group_acc_times_uniform_chance"][0] == pytest.approx(2.4)
    assert not {"hubness_skew_times_chance", "silhouette_times_chance"} & set(table.columns)
