"""Charts about channels say what was planted in the latents."""

import dataclasses
import json
import re

import numpy as np
import pytest
from scipy.stats import f_oneway

from latentmap.errors import LatentmapError
from latentmap.inspect.channels import InspectOptions, inspect_latents
from latentmap.inspect.inspection import ChannelMetrics, read_channel_maps, read_inspection
from latentmap.report.channel_chart import CHANNEL_CHARTS, DeepDive
from latentmap.report.deep_dive.spatial_importance import cells, outlines, threshold
from latentmap.report.publish import charts_in
from latentmap.store.latents import write_latents
from latentmap.store.manifest import Shard, write_manifest
from latentmap.store.results import CHANNEL_MAPS, CHANNELS, MANIFEST, POSITIONS

PLANTED = 3
PLACE = ("tiny-vae", "plain")


def inspected(fake_run, folder):
    """Inspect latents of the fake run in which one channel tells the labels apart."""
    run = fake_run.copy(folder)
    first, *others = run.facts.encoders
    run.facts = dataclasses.replace(
        run.facts, encoders=(dataclasses.replace(first, has_channels=True), *others)
    )
    codes = np.unique(run.labels, return_inverse=True)[1]
    latents = np.random.default_rng(0).normal(size=(len(run.ids), 5, 6, 20)).astype(np.float32)
    latents[:, PLANTED] += codes[:, None, None]
    shards, start = [], 0
    for path in run.samples:
        shards.append(folder / f"latents-{path.name}")
        stop = start + (40 if start == 0 else 30)
        write_latents(shards[-1], run.ids[start:stop], latents[start:stop], {})
        start = stop
    inspect_latents(shards, run.samples, InspectOptions(k=5, maps=("pca", "umap")), **files_of(run))
    return run


def files_of(run):
    """What is found in the latents."""
    kinds = {"metrics": CHANNELS, "positions": POSITIONS, "maps": CHANNEL_MAPS}
    return {name: run.results.path(kind, *PLACE) for name, kind in kinds.items()}


def write_pages(run):
    """Write all pages about channels; return them by chart."""
    run.write("channels", *PLACE, CHANNEL_CHARTS.names()[0])
    folder = run.page(*PLACE, "deep_dive")
    return {name: folder / f"{name}.html" for name in CHANNEL_CHARTS}


@pytest.fixture(scope="module")
def run(fake_run, tmp_path_factory):
    return inspected(fake_run, tmp_path_factory.mktemp("inspection"))


@pytest.fixture(scope="module")
def files(run):
    return files_of(run)


@pytest.fixture(scope="module")
def data(fake_run, files):
    found = read_inspection(files["metrics"], files["positions"])
    points = {f"pca_{axis}{c}": [0.0] * 70 for axis in "xy" for c in range(5)}
    colors = dict.fromkeys(fake_run.label_groups, "#000000")
    return DeepDive(found, colors, range(5), points)


def with_channels(data, count):
    """The same data with more channels, each a bit better than the one before."""
    metrics = [ChannelMetrics(1 + c, 0, c / 1000, 0.1, c / 1000, 0.1) for c in range(count)]
    found = dataclasses.replace(data.inspection, channels=metrics, group_channels=metrics)
    return dataclasses.replace(data, inspection=found)


def rows_of(chart):
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


@pytest.mark.parametrize("name", CHANNEL_CHARTS.names())
def test_every_chart_says_what_it_is_and_is_the_same_when_built_again(data, name):
    chart = CHANNEL_CHARTS.create(name)
    assert chart.title and chart.look_for and CHANNEL_CHARTS.description(name).endswith(".")
    spec = chart.build(data).to_dict()
    assert spec["description"]
    assert CHANNEL_CHARTS.create(name).build(data).to_dict() == spec


def test_the_planted_channel_leads(data):
    spec = CHANNEL_CHARTS.create("channel_importance").build(data).to_dict()
    for panel in spec["concat"]:
        assert panel["layer"][0]["encoding"]["y"]["sort"][0] == f"channel {PLANTED}"
    titles = [panel["title"] for panel in spec["concat"]]
    assert len(titles) == 6 and titles[3].startswith("kNN group purity")


def test_channels_that_are_left_out_are_counted(data):
    many = with_channels(data, 20)
    assert many.note(20) == ""
    assert many.note(19).startswith("Of 20 channels the 19 ")
    assert (many.shown(20), many.shown(2)) == (list(range(20)), [18, 19])


def test_label_groups_that_are_the_labels_are_not_shown_twice(data):
    found = dataclasses.replace(data.inspection, groups=data.inspection.labels)
    colors = dict.fromkeys(found.labels, "#000000")
    same = dataclasses.replace(data, inspection=found, colors=colors)
    assert len(CHANNEL_CHARTS.create("channel_importance").build(same).to_dict()["concat"]) == 3
    bars, maps = CHANNEL_CHARTS.create("per_channel").build(same).to_dict()["vconcat"]
    assert len(maps["concat"]) == 5 and bars["title"] == "kNN label purity"


def test_heatmaps_show_deviations_in_units_of_all_samples(data):
    found = data.inspection
    rows = rows_of(CHANNEL_CHARTS.create("channel_means_heatmap").build(data))
    assert len(rows) == len(found.labels) * 5
    row = next(r for r in rows if r["label"] == "tall.choice" and r["channel"] == str(PLANTED))
    label = found.labels.index("tall.choice")
    mean, std = found.means[:, PLANTED]
    assert row["deviation"] == pytest.approx((found.label_means[label, PLANTED] - mean) / std)
    strongest = max(rows, key=lambda r: abs(r["deviation"]))
    assert strongest["channel"] == str(PLANTED)


def test_heatmaps_switch_to_raw_values(data):
    spec = CHANNEL_CHARTS.create("channel_stds_heatmap").build(data).to_dict()
    (view,) = [param for param in spec["params"] if "bind" in param]
    assert view["bind"]["options"] == ["relative to all images", "raw values"]
    found = data.inspection
    rows = rows_of(CHANNEL_CHARTS.create("channel_stds_heatmap").build(data))
    row = next(r for r in rows if r["label"] == "tall.choice" and r["channel"] == "0")
    label = found.labels.index("tall.choice")
    assert row["value"] == pytest.approx(found.label_spreads[label, 0])
    assert row["deviation"] == pytest.approx(row["value"] / found.means[1, 0] - 1)


def test_the_best_position_is_named_at_full_resolution(data):
    chart = CHANNEL_CHARTS.create("spatial_importance")
    positions = np.ones((40, 64))
    positions[31, 7] = 9.25
    single = np.stack([np.roll(positions, channel, axis=1) for channel in range(5)])
    found = dataclasses.replace(data.inspection, positions=positions, channel_positions=single)
    planted = dataclasses.replace(data, inspection=found)
    assert "Best position over all channels: (31, 7) with F 9.25." in chart.note(planted)
    spec = chart.build(planted).to_dict()
    large, small = spec["vconcat"]
    assert large["title"] == "all channels: best (31, 7) with F 9.25"
    assert small["concat"][4]["title"] == "channel 4: best (31, 11) with F 9.25"
    assert len(spec["datasets"][large["layer"][0]["data"]["name"]]) == 40 * 64


def test_channels_that_are_the_same_everywhere_have_no_plane(data):
    """Not even where these are all that would be shown, best first by their neighbors."""
    chart, found = CHANNEL_CHARTS.create("spatial_importance"), data.inspection
    single = found.channel_positions.copy()
    single[0] = np.nan
    some = dataclasses.replace(found, channel_positions=single)
    _, small = chart.build(dataclasses.replace(data, inspection=some)).to_dict()["vconcat"]
    assert [panel["title"].partition(":")[0] for panel in small["concat"]] == [
        f"channel {channel}" for channel in (1, 2, 3, 4)
    ]
    single[:] = np.nan
    none = dataclasses.replace(found, channel_positions=single)
    assert len(chart.build(dataclasses.replace(data, inspection=none)).to_dict()["vconcat"]) == 1


def test_labels_stand_by_group(data, fake_run):
    order = list(fake_run.label_groups)
    groups = [order.index(data.inspection.groups[label]) for label in data.labels]
    assert groups == sorted(groups) and len(groups) == len(data.inspection.labels)


def test_of_many_channels_the_best_are_shown_and_the_page_says_so(data):
    many = with_channels(data, 70)
    assert many.shown() == list(range(6, 70))
    assert many.shown(16) == list(range(54, 70))
    assert many.note() == "Of 70 channels the 64 whose neighbors agree most in their label."
    assert data.note() == ""


def test_the_cosine_is_said_beside_the_neighbors_of_channels(data):
    chart = CHANNEL_CHARTS.create("per_channel")
    assert "cosine" not in chart.note(data)
    by_cosine = dataclasses.replace(data.inspection, metric="cosine")
    note = chart.note(dataclasses.replace(data, inspection=by_cosine))
    assert "They are compared by cosine." in note


def test_planes_are_averaged_to_fit():
    plane = np.arange(24, dtype=float).reshape(4, 6)
    # Rows 0, 1 and 2, 3; columns in pairs.
    shown = {(cell["row"], cell["column"]): cell["f"] for cell in cells(plane, 3)}
    assert len(shown) == 9
    assert shown[0, 0] == 0.5 and shown[1, 2] == 11.5 and shown[3, 4] == 22.5
    plane[0, :2] = np.nan
    assert len(cells(plane, 6)) == 4 * 6 - 2
    assert len(cells(plane, 3)) == 9 - 1


def test_lines_enclose_the_positions_above_the_threshold():
    plane = np.ones((4, 6))
    plane[1, 2:4] = 3, 5
    plane[3, 5] = np.nan
    lines = {tuple(line[name] for name in ("x", "y", "x2", "y2")) for line in outlines(plane, 6, 3)}
    around = {(2, 1, 3, 1), (3, 1, 4, 1), (2, 2, 3, 2), (3, 2, 4, 2), (2, 1, 2, 2), (4, 1, 4, 2)}
    assert lines == around
    assert outlines(plane, 6, 5.1) == []
    # Of 2 × 2 positions the mean is 2.5.
    assert {line["x"] for line in outlines(plane, 2, 1.5)} <= {0, 3, 6}


def test_five_of_a_hundred_positions_are_above_the_threshold_if_labels_mean_nothing(data):
    found = dataclasses.replace(data.inspection, labels=["a", "b", "c"], counts=[20, 30, 10])
    codes = np.repeat([0, 1, 2], found.counts)
    values = np.random.default_rng(0).normal(size=(60, 20_000))
    drawn = f_oneway(*(values[codes == code] for code in range(3))).statistic
    assert (drawn > threshold(found)).mean() == pytest.approx(0.05, abs=0.005)


def test_correlation_and_spectrum_are_those_of_the_covariance(data):
    rows = rows_of(CHANNEL_CHARTS.create("channel_correlations").build(data))
    scale = np.sqrt(np.diagonal(data.inspection.covariance))
    correlation = data.inspection.covariance / np.outer(scale, scale)
    found = [row["value"] for row in rows if row.get("a") == "0" and row.get("b") == "1"]
    assert pytest.approx(correlation[0, 1], rel=1e-3) in found
    shares = [row for row in rows if row.get("of") == "over all positions"]
    assert max(row["share"] for row in shares) == pytest.approx(1, abs=1e-3)
    assert data.inspection.covariance[PLANTED, PLANTED] > 3


def test_the_spectrum_has_a_line_at_nine_tenths_of_the_variance(data):
    chart = CHANNEL_CHARTS.create("channel_correlations")
    spread = np.diag([6.0, 2.5, 1.0, 0.3, 0.2])
    found = dataclasses.replace(
        data.inspection, covariance=spread, covariance_of_means=np.diag([9.5, 0.5, 0, 0, 0])
    )
    planted = dataclasses.replace(data, inspection=found)
    assert chart.note(planted) == (
        "90 % of the variance is in 1 of 5 axes of channel means and in 3 of 5 axes over all "
        "positions."
    )
    spec = chart.build(planted).to_dict()
    reaches = [panel["encoding"]["color"]["scale"]["domain"][2] for panel in spec["concat"][:4]]
    assert reaches == [1, 9.5, 1, 6]
    rows = rows_of(chart.build(planted))
    axes = {row["axis"] for row in rows if row.get("of") == "over all positions"}
    assert axes == {1, 2, 3, 4, 5}
    assert [row for row in rows_of(chart.build(planted)) if list(row) == ["share"]] == [
        {"share": 0.9}
    ]


def test_undefined_metrics_have_no_chart(data):
    nan = float("nan")
    nothing = [ChannelMetrics(nan, nan, nan, nan, nan, nan)] * 5
    empty = np.full_like(data.inspection.positions, nan)
    zero = np.zeros((5, 5))
    undefined = dataclasses.replace(
        data.inspection,
        channels=nothing,
        group_channels=nothing,
        positions=empty,
        labels=["one"],
        groups=["Size"],
        counts=[70],
        covariance=zero,
        covariance_of_means=zero,
    )
    for name in CHANNEL_CHARTS:
        assert CHANNEL_CHARTS.create(name).build(DeepDive(undefined, {"Size": "#000000"})) is None


def embedded(page):
    """The charts that a page embeds."""
    return list(charts_in(page).values())


def test_maps_of_one_kind_are_no_choice(data):
    (kind,) = [
        param
        for param in CHANNEL_CHARTS.create("per_channel").build(data).to_dict()["params"]
        if param.get("value") == "pca"
    ]
    assert "bind" not in kind


def test_pages_carry_what_they_show(run):
    pages = write_pages(run)
    assert set(pages) == set(CHANNEL_CHARTS)
    for name, path in pages.items():
        text = path.read_text()
        assert "<img src=x" not in text
        (chart,) = embedded(text)
        assert ("points" in chart) == (name == "per_channel") == ('id="samples"' in text)
    (maps,) = embedded(pages["per_channel"].read_text())
    assert set(maps["points"]) == {
        f"{kind}_{axis}{channel}"
        for kind in ("pca", "umap")
        for axis in "xy"
        for channel in range(5)
    }
    assert all(-1 <= place <= 1 for values in maps["points"].values() for place in values)
    (kinds,) = [p for p in maps["spec"]["params"] if isinstance(p.get("bind"), dict)]
    assert kinds["bind"]["options"] == ["pca", "umap"]
    assert {len(values) for values in maps["points"].values()} == {70}
    panels = maps["spec"]["vconcat"]
    assert [panel["title"] for panel in panels[:2]] == ["kNN label purity", "kNN group purity"]


def test_fewer_points_are_those_of_the_same_samples(run, files, tmp_path):
    fewer = run.copy(tmp_path / "run", report={"side_by_side": False, "max_points": 7})
    text = write_pages(fewer)["per_channel"].read_text()
    # They are those that all pages share.
    assert json.loads(re.search(r'id="samples">(.*?)</script>', text)[1]) == {}
    maps = read_channel_maps(files["maps"])
    rows = [maps.ids.index(identity) for identity in run.ids[::10]]
    place = maps.places["pca"][:, 0]
    shown = embedded(text)[0]["points"]
    assert len(shown["pca_x0"]) == 7
    # As far apart on the page as there, but for one scale.
    apart = np.linalg.norm(np.diff(place[rows], axis=0), axis=1)
    drawn = np.stack([shown["pca_x0"], shown["pca_y0"]], axis=1)
    ratios = np.linalg.norm(np.diff(drawn, axis=0), axis=1) / apart
    np.testing.assert_allclose(ratios, ratios[0], rtol=0.01)


def test_maps_of_other_samples_are_named(run, tmp_path):
    other = run.copy(tmp_path / "run")
    write_manifest(other.results.path(MANIFEST), [Shard("0000", 40, 0, "")])
    with pytest.raises(LatentmapError, match=r"maps.parquet has id 'sample_040', which no sample"):
        write_pages(other)
