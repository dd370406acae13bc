import polars as pl
import pytest
from PIL import Image

from latentmap.metrics.metric import HEADLINE as HONEST
from latentmap.report.chart import charts_of
from latentmap.report.experiments import ranked, read_experiments
from latentmap.report.publish import NOTHING, printed, read_chart, write_figure

VAE = ("tiny-vae", "plain")


@pytest.fixture
def publish(tmp_path):
    """Write a chart; return its files by suffix."""

    def write(page, chart, folder="out"):
        files = {suffix: tmp_path / folder / f"chart.{suffix}" for suffix in FORMATS}
        write_figure(page, chart, **files)
        return files

    return write


FORMATS = ("svg", "png", "pdf", "csv")


def test_a_metric_is_the_chart_of_the_page_and_its_rows(report, publish):
    files = publish(report.page(*VAE, "comparisons", "metric_bars.html"), "metric_bars")
    assert files["svg"].read_text().startswith("<svg") and "patch4" in files["svg"].read_text()
    assert files["pdf"].read_bytes().startswith(b"%PDF")
    with Image.open(files["png"]) as picture:
        assert picture.width > 2000
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    keys = [key for key in report.metrics if key[:2] == VAE]
    experiments = ranked(read_experiments(keys, [report.metrics[key] for key in keys]))
    table = pl.read_csv(files["csv"])
    part = table.filter(
        pl.col("part").str.contains("kNN label purity (higher", literal=True),
        pl.col("neighbors") == "across sources",
        ~pl.col("shade").str.contains("baseline"),
    )
    assert part["method"].to_list() == [e.key.method for e in experiments]
    assert part["value"].to_list() == pytest.approx([e.value(HONEST) for e in experiments])


def test_what_only_decorates_is_not_data(report, publish):
    page = report.page(*VAE, "comparisons", "radar_chart.html")
    table = pl.read_csv(publish(page, "radar_chart")["csv"])
    assert "ring" not in table.columns
    assert table["value"].null_count() == 0


def test_a_map_has_its_samples_without_images_and_a_legend(report, publish):
    page = report.page(*VAE, "per_method", "mean", "umap.html")
    files = publish(page, "map")
    table = pl.read_csv(files["csv"])
    assert table["id"].to_list() == report.ids
    assert table["label"].to_list() == report.labels
    assert {"x", "y"} < set(table.columns) and "image" not in table.columns
    svg = files["svg"].read_text()
    assert all(f">{group}</text>" in svg for group in report.label_groups)
    assert svg.count("<path") > len(report.ids)


def test_the_page_s_own_specification_is_left_alone(report):
    spec = read_chart(report.page(*VAE, "per_method", "mean", "umap.html"), "map")
    before = str(spec)
    assert "symbolOpacity" in str(printed(spec))
    assert str(spec) == before


def test_the_same_chart_gives_the_same_bytes(report, publish):
    page = report.page(*VAE, "comparisons", "pareto_frontier.html")
    first, second = (publish(page, "pareto_frontier", folder) for folder in ("a", "b"))
    for suffix in FORMATS:
        assert first[suffix].read_bytes() == second[suffix].read_bytes()


def test_a_chart_that_the_page_lacks_says_so(report, publish):
    files = publish(report.summary, "no_such_chart")
    assert NOTHING in files["svg"].read_text()
    assert files["csv"].read_text().strip() == ""


def test_every_chart_of_the_summary_can_be_found_in_it(report):
    for name in charts_of("summary"):
        assert read_chart(report.summary, name)["description"]


def test_labels_that_javascript_knows_are_printed(report, publish):
    page = report.page(*VAE, "comparisons", "category_heatmap.html")
    svg = publish(page, "category_heatmap")["svg"].read_text()
    assert NOTHING not in svg
    for label in ("constructor", "__proto__", "hasOwnProperty", "null", "undefined"):
        assert f">{label}</text>" in svg
