"""The pages about the channels and positions of the latents of one encoder and variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.inspect.inspection import ChannelMaps, read_channel_maps, read_inspection
from latentmap.report.channel_chart import CHANNEL_CHARTS, MOST_MAPS, ChannelChart, DeepDive
from latentmap.report.labels import read_labels
from latentmap.report.maps import DATA
from latentmap.report.options import ReportOptions
from latentmap.report.pages import Plate, chart_plate, embedded_json, specification, write_page
from latentmap.report.points import Points, read_samples_at
from latentmap.store.samples import evenly_spaced, read_samples

if TYPE_CHECKING:
    import altair as alt


def write_channel_pages(
    pages: Mapping[str, Path | str],
    *,
    encoder: str,
    variant: str,
    metrics: Path | str,
    positions: Path | str,
    maps: Path | str,
    samples: Sequence[Path | str],
    thumbnails: Sequence[Path | str],
    labels: Path | str,
    options: ReportOptions,
    bundle: Path | str,
    home: Path | str,
) -> None:
    """Write one page for each chart about channels.

    Args:
        pages: outputs, by chart.
        encoder: whose latents.
        variant: of the images.
        metrics: what `inspect_latents` wrote.
        positions: what it wrote of positions.
        maps: what it wrote of the channels' maps.
        samples: shards of samples.
        thumbnails: their shards of thumbnails, in the same order.
        labels: what `collect_labels` wrote.
        options: of the report.
        bundle: what `write_vega_bundle` wrote.
        home: the summary, which the pages link to.

    Raises:
        LatentmapError: an input does not belong to these samples.
    """
    places = read_channel_maps(maps)
    kept = evenly_spaced(len(places.ids), options.max_points)
    shown = read_samples_at(_rows(places, samples, maps)[kept], samples, thumbnails)
    colors = read_labels(labels).colors
    data = DeepDive(read_inspection(metrics, positions), {}, colors)
    data = replace(data, points=_points(places, kept, data.shown(MOST_MAPS)))
    for name, page in pages.items():
        plugin = CHANNEL_CHARTS.create(name)
        chart = plugin.build(data)
        write_page(
            page,
            "channels.html",
            bundle=bundle,
            home=home,
            title=f"{plugin.title} ({encoder}, {variant})",
            samples=shown if plugin.shows_samples and chart is not None else None,
            colors=colors,
            plates=[] if chart is None else [_plate(name, plugin, chart, data)],
        )


def _rows(maps: ChannelMaps, samples: Sequence[Path | str], path: Path | str) -> NDArray[np.intp]:
    """Return the numbers of the compared samples among all."""
    ids = read_samples(samples, ["id"])["id"].to_pylist()
    numbers = {identity: row for row, identity in enumerate(ids)}
    rows = [numbers.get(identity, -1) for identity in maps.ids]
    if -1 in rows:
        raise LatentmapError(
            f"{path} has id '{maps.ids[rows.index(-1)]}', which no sample has. Delete it and run "
            "again."
        )
    return np.array(rows, np.intp)


def _points(maps: ChannelMaps, rows: NDArray[np.intp], channels: Sequence[int]) -> Points:
    """Return the coordinates of some samples in the maps of some channels, to four digits."""
    return {
        f"{axis}{channel}": [float(f"{value:.4g}") for value in values[rows, channel]]
        for axis, values in (("x", maps.x), ("y", maps.y))
        for channel in channels
    }


def _plate(name: str, plugin: ChannelChart, chart: alt.TopLevelMixin, data: DeepDive) -> Plate:
    plate = chart_plate(name, chart, plugin.title, plugin.look_for, note=plugin.note(data))
    if not plugin.shows_samples:
        return plate
    embedded = {
        "spec": specification(chart),
        "renderer": "canvas",
        "data": DATA,
        "points": data.points,
    }
    return replace(plate, embedded=embedded_json(embedded))
