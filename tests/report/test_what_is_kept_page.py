"""The page of what is kept, the head of the summary, and the tables of targets."""

import json
import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from latentmap.api.opened import Run
from latentmap.errors import LatentmapError
from latentmap.report.kept.predictions import best_predictions
from latentmap.report.kept.table import read_kept
from latentmap.report.page import pages_of, published
from latentmap.report.points import ShownSamples
from latentmap.report.publish import charts_in, read_chart
from latentmap.report.table import write_metrics_table, write_targets_table
from latentmap.report.target_columns import with_targets
from latentmap.store import results as book
from latentmap.store.results import write_run_facts

TURNED = 20


@pytest.fixture(scope="module")
def page(targeted_run):
    return targeted_run.write("what_is_kept")


@pytest.fixture(scope="module")
def summary(targeted_run):
    return targeted_run.write("summary")


def sentences(text):
    found = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", text)
    return dict(found)


def test_a_run_without_targets_has_no_such_page_and_the_summary_of_before(report):
    assert "what_is_kept" not in [page.kind for page in pages_of(report.results)]
    text = report.summary.read_text()
    assert "what_is_kept" not in text and "What is kept" not in text
    assert "<h2>Leaderboard</h2>" in text
    assert not {"what_is_kept", "kept_ranking"} & set(published(report.results))


def test_the_summary_begins_with_what_is_kept(summary):
    said = sentences(summary)
    # Three methods of the VAE in both variants; the other six lose it.
    assert said["Position of a box"] == (
        "kept by patch4 (plain), patch4 (boxes), patch8 (plain) and 3 more (0.58–0.80); lost by "
        "range (boxes), meanstd (boxes), std (boxes) and 9 more (≤ 0.02); the best baseline, dct / "
        "patch4 (plain), keeps 0.80."
    )
    assert summary.index('id="kept"') < summary.index('id="table"')
    assert summary.index("What is kept, from 0") < summary.index("Best of ")
    assert summary.count("<h2>Leaderboard of the label</h2>") == 1
    assert 'href="comparisons/what_is_kept.html"' in summary


def test_values_that_could_not_be_read_are_listed_with_other_input(summary):
    row = re.search(r"<tr>(?:(?!</tr>).)*names no hour.*?</tr>", summary)[0]
    assert "<td>noted</td>" in row and '<td class="number">2</td>' in row


def test_the_page_says_the_same_as_the_summary(page, summary):
    assert sentences(page).items() <= sentences(summary).items()
    cells = [re.findall(r'data-sort="([^"]*)" title="([^"]*)"', text) for text in (page, summary)]
    assert cells[0] and set(cells[0]) <= set(cells[1])


def test_a_cell_says_metric_chance_interval_p_and_samples(page):
    cell = re.search(r'<td class="number top"[^>]*title="(linear R²[^"]*)"[^>]*>0.80</td>', page)
    for part in ("chance −0.020", "95 % interval", "adjusted p", "60 samples"):
        assert part in cell[1]


def test_the_best_embedding_of_every_number_is_calibrated(targeted_run, page):
    results = targeted_run.results
    kept = read_kept(results)
    found = {one.target.name: one for one in best_predictions(results, kept)}
    assert list(found) == ["boxes.x", "boxes.y", "clock"]
    one = found["boxes.x"]
    assert kept.name(one.by) == "patch4 (plain)"
    assert len(one.true) == 60  # every seventh of 70 has none
    assert one.typical_error == pytest.approx(0.01)
    assert found["clock"].predicted - found["clock"].true == pytest.approx(TURNED)
    row = re.search(r"<tr><th scope=\"row\">Centre of the box, x</th>(.*?)</tr>", page)[1]
    assert "0.01 widths" in row and "0.74 to 0.85" in row
    # It has maps, and they lead there.
    assert 'href="../tiny-vae/plain/per_method/patch4/umap.html"' in row


def test_maps_can_be_coloured_by_targets_and_by_residuals(targeted_run):
    page = targeted_run.write("method_maps", "tiny-vae", "plain", "patch4")
    offered = dict(re.findall(r'<option value="([^"]*)" data-measure>([^<]*)</option>', page))
    assert offered["own:Centre of the box, x"] == "Centre of the box, x"
    assert offered["residual:clock"] == "residual of Clock direction"
    assert "Colour" in re.findall(r'<option value="column\d+">([^<]*)</option>', page)
    embedded = charts_in(page)["map"]
    missed = embedded["points"]["residual:clock"]
    assert missed == pytest.approx([-TURNED] * 70)
    assert embedded["points"]["residual:boxes.x"][:2] == [None, pytest.approx(-0.01)]
    # `mean` loses the places, so that nothing of them is predicted.
    lost = targeted_run.write("method_maps", "tiny-vae", "plain", "mean")
    assert "residual:clock" not in lost


def test_targets_are_not_told_on_hover(targeted_run):
    shown = with_targets(ShownSamples(targeted_run.ids, np.arange(3), {}), targeted_run.results)
    assert shown.targets["Centre of the box, x"] == [None, "0.01", "0.02"]
    assert shown.targets["Colour"] == ["red", "blue", "red"]
    assert "label" not in shown.targets and shown.further == {}


def test_the_charts_can_be_published(targeted_run, page):
    figures = published(targeted_run.results)
    place, chart = figures["figures/what_is_kept"]
    (rows,) = read_chart(place, chart)["datasets"].values()
    kept = {(row["embedding"], row["target"]): row["kept"] for row in rows}
    assert kept["patch4 (plain)", "Centre of the box, x"] == pytest.approx(0.795)


def test_the_long_table_is_written_and_every_method_has_its_part(targeted_run, tmp_path):
    results = targeted_run.results
    kept = results.path(book.WHAT_IS_KEPT)
    csv, parquet = tmp_path / "t.csv", tmp_path / "t.parquet"
    write_targets_table(kept, csv, parquet)
    table = pl.read_parquet(parquet)
    assert pl.read_csv(csv)["kept"].to_list() == table["kept"].to_list()
    assert {"encoder", "variant", "method", "target", "metric", "value", "chance", "low"} <= set(
        table.columns
    )
    copies = [tmp_path / f"{n}.json" for n, _ in enumerate(targeted_run.metrics)]
    write_metrics_table(
        list(targeted_run.metrics),
        list(targeted_run.metrics.values()),
        {},
        **{name: tmp_path / f"m.{name}" for name in ("csv", "json", "parquet")},
        copies=copies,
        kept=kept,
    )
    key = list(targeted_run.metrics)[3]
    found = json.loads(copies[3].read_text())["targets"]
    own = table.filter(encoder=key[0], variant=key[1], method=key[2])
    assert found == own.drop("encoder", "variant", "method").to_dict(as_series=False)


def test_a_finished_run_gives_the_table(targeted_run):
    write_run_facts(targeted_run.results.path(book.RUN), targeted_run.facts)
    kept = Run(targeted_run.folder).kept
    assert len(kept) == len(targeted_run.metrics) * 5
    plain = replace(targeted_run.facts, config={**targeted_run.facts.config, "targets": []})
    write_run_facts(targeted_run.results.path(book.RUN), plain)
    with pytest.raises(LatentmapError, match="has no targets"):
        _ = Run(targeted_run.folder).kept
