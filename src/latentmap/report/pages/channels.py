"""The pages about the channels and positions of the latents of one encoder and variant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.inspect.inspection import ChannelMaps, read_channel_maps, read_inspection
from latentmap.report.channel_chart import (
    CHANNEL_CHARTS,
    ChannelChart,
    DeepDive,
    channel_charts,
)
from latentmap.report.chart_pages import ChartPages
from latentmap.report.labels import read_labels
from latentmap.report.lazy import alt
from latentmap.report.maps import DATA, near_points
from latentmap.report.page import Content, Scope
from latentmap.report.plates import Plate, chart_plate
from latentmap.report.points import Points, read_samples_at
from latentmap.store.results import (
    CHANNEL_MAPS,
    CHANNELS,
    LABELS,
    POSITIONS,
    SAMPLES,
    THUMBNAILS,
    Key,
    Results,
    page_file,
)
from latentmap.store.samples import evenly_spaced, read_samples


def _charts(results: Results) -> list[Key]:
    names = channel_charts(results.facts.labelled)
    return [(*key, name) for key in results.inspected for name in names]


class Channels(ChartPages):
    """One page for each chart about channels."""

    title = "Channels"
    category = "Deep dive"
    plugins = CHANNEL_CHARTS
    file = page_file("{encoder}/{variant}/deep_dive/{chart}.html", _charts)
    scope = Scope.LATENTS
    reads = (CHANNELS, POSITIONS, CHANNEL_MAPS, SAMPLES, THUMBNAILS, LABELS)
    configured_by = ("report.max_points", "report.image_url")
    shows = (CHANNEL_CHARTS,)

    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield each chart."""
        encoder, variant, _ = keys[0]
        files = (results.path(a, encoder, variant) for a in (CHANNELS, POSITIONS))
        maps, samples = results.path(CHANNEL_MAPS, encoder, variant), results.paths(SAMPLES)
        places = read_channel_maps(maps)
        kept = evenly_spaced(len(places.ids), results.option("report.max_points"))
        rows = _rows(places, samples, maps)[kept]
        shown = read_samples_at(rows, samples, results.paths(THUMBNAILS))
        colors = read_labels(results.path(LABELS)).colors
        points = _points(places, kept)
        data = DeepDive(read_inspection(*files), colors, places.channels, points)
        for *_, name in keys:
            plugin = CHANNEL_CHARTS.create(name)
            chart = plugin.build(data)
            yield Content(
                f"{plugin.title} ({encoder}, {variant})",
                {"plates": [] if chart is None else [_plate(name, plugin, chart, data)]},
                shown if plugin.shows_samples and chart is not None else None,
                colors,
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


def _points(maps: ChannelMaps, rows: NDArray[np.intp]) -> Points:
    """Return the coordinates of some samples, between -1 and 1 on each map but for far ones."""
    return {
        f"{kind}_{axis}{channel}": [round(value, 4) for value in values.tolist()]
        for kind, places in maps.places.items()
        for channel, place in zip(maps.channels, places.swapaxes(0, 1), strict=True)
        for axis, values in zip("xy", _scaled(place)[rows].T, strict=True)
    }


def _scaled(place: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the (n, 2) coordinates of a map around its middle: all that are not far within 1."""
    near = place[near_points(place)]
    middle = (near.min(axis=0) + near.max(axis=0)) / 2.0
    return (place - middle) / (np.abs(near - middle).max() or 1.0)


def _plate(name: str, plugin: ChannelChart, chart: alt.TopLevelMixin, data: DeepDive) -> Plate:
    points: dict[str, Any] = {"data": DATA, "points": data.points} if plugin.shows_samples else {}
    return chart_plate(
        name,
        chart,
        plugin.title,
        plugin.look_for,
        note=plugin.note(data),
        renderer=plugin.renderer,
        **points,
    )
