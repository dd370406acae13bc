"""What an inspection of latents found, and its files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.neighbors.rows import DistanceMetric
from latentmap.store.files import read_json, reading, write_json
from latentmap.store.tables import (
    facts_of,
    matrix,
    numbers,
    read_parquet,
    strings,
    with_facts,
    write_parquet,
)

Floats = NDArray[np.float64]

ARRAYS = (
    *("label_means", "label_spreads", "label_stds", "means", "stds"),
    *("covariance_of_means", "covariance"),
)
METRICS = ("channels", "group_channels")


@dataclass(frozen=True)
class ChannelMetrics:
    """What one channel says of labels, or of label groups; NaN where a metric is not defined.

    Attributes:
        f: F statistic of the labels on the channel's mean over positions.
        silhouette: of the labels on the channel's mean over positions.
        knn: same-label share of the nearest neighbors by this channel alone.
        knn_chance: the same under random labels.
        knn_grouped: the share among neighbors of other source groups.
        knn_grouped_chance: the same under random labels.
    """

    f: float
    silhouette: float
    knn: float
    knn_chance: float
    knn_grouped: float
    knn_grouped_chance: float


@dataclass(frozen=True)
class Inspection:
    """What was found in the latents of one encoder and variant.

    Attributes:
        samples: N.
        compared: samples among which neighbors were looked for.
        k: nearest neighbors looked at.
        metric: by which the channels of samples are compared.
        grid: (h, w) cells that each channel was averaged to before its samples were compared.
        labels: (L,) names.
        groups: (L,) the label group of each.
        counts: (L,) samples of each.
        channels: (C,) metrics of the labels.
        group_channels: (C,) metrics of the label groups.
        label_means: (L, C) mean over a label's samples of the channel's mean over positions.
        label_spreads: (L, C) standard deviation over a label's samples of the channel's mean over
            positions; NaN where the label has one sample.
        label_stds: (L, C) mean over a label's samples of the channel's standard deviation over
            positions.
        means: (2, C) mean and standard deviation over all samples of the mean over positions.
        stds: (2, C) the same of the standard deviation over positions.
        covariance_of_means: (C, C) over samples, of the mean over positions.
        covariance: (C, C) over all positions of all samples.
        positions: (H, W) F statistic of the labels at each position, over all channels.
        channel_positions: (C, H, W) the same of each channel.
    """

    samples: int
    compared: int
    k: int
    metric: DistanceMetric
    grid: tuple[int, int]
    labels: Sequence[str]
    groups: Sequence[str]
    counts: Sequence[int]
    channels: Sequence[ChannelMetrics]
    group_channels: Sequence[ChannelMetrics]
    label_means: Floats
    label_spreads: Floats
    label_stds: Floats
    means: Floats
    stds: Floats
    covariance_of_means: Floats
    covariance: Floats
    positions: Floats
    channel_positions: Floats


@dataclass(frozen=True)
class ChannelMaps:
    """Maps of the samples by one channel each.

    Attributes:
        ids: (n,) compared samples, in their order.
        channels: (m,) the channels that have maps, ascending.
        places: by kind of map the coordinates of the samples in that of each channel, (n, m, 2).
    """

    ids: list[str]
    channels: Sequence[int]
    places: Mapping[str, NDArray[np.float32]]


def ranked(channels: Sequence[ChannelMetrics]) -> list[int]:
    """Return the numbers of channels, best first by the neighbors that each finds alone."""
    metrics = [(one.knn_grouped, one.knn, one.f) for one in channels]
    keys = [[-math.inf if math.isnan(v) else v for v in metric] for metric in metrics]
    return sorted(range(len(channels)), key=lambda channel: keys[channel], reverse=True)


def write_inspection(
    metrics: Path | str, positions: Path | str, maps: Path | str, found: Inspection, of: ChannelMaps
) -> None:
    """Write an inspection.

    Args:
        metrics: JSON file: everything but positions and maps.
        positions: Parquet file: row, column, f over all channels, and f of each channel.
        maps: Parquet file: id, and for each kind of map the two coordinates in each channel's.
        found: the inspection.
        of: its maps.
    """
    plain = asdict(found)
    every, single = plain.pop("positions"), plain.pop("channel_positions")
    write_json(metrics, {name: _plain(value) for name, value in plain.items()})
    row, column = np.indices(every.shape, np.int32)
    write_parquet(
        positions,
        pa.table(
            {
                "row": numbers(row),
                "column": numbers(column),
                "f": numbers(every),
                "f_channels": _lists(single.reshape(len(single), -1).T),
            }
        ),
    )
    columns = {
        f"{kind}_{axis}": _lists(places[..., number])
        for kind, places in of.places.items()
        for number, axis in enumerate("xy")
    }
    table = pa.table({"id": strings(of.ids), **columns})
    facts = {"channels": list(of.channels), "kinds": list(of.places)}
    write_parquet(maps, with_facts(table, facts))


def read_inspection(metrics: Path | str, positions: Path | str) -> Inspection:
    """Read an inspection without its maps."""
    plain = read_json(metrics)
    with reading(metrics, "an inspection"):
        for name in ARRAYS:
            plain[name] = np.array(plain[name], np.float64)
        for name in METRICS:
            plain[name] = [
                ChannelMetrics(**{field: np.nan if v is None else v for field, v in one.items()})
                for one in plain[name]
            ]
    table = read_parquet(positions, ["row", "column", "f", "f_channels"])
    shape = matrix(table["row"])[-1] + 1, matrix(table["column"])[-1] + 1
    return Inspection(
        **plain | {"grid": tuple(plain["grid"])},
        positions=matrix(table["f"]).reshape(shape),
        channel_positions=matrix(table["f_channels"]).T.reshape(-1, *shape),
    )


def read_channel_maps(path: Path | str) -> ChannelMaps:
    """Read the maps of channels."""
    table = read_parquet(path)
    with reading(path, "maps of channels"):
        facts = facts_of(table)
        places = {
            kind: np.stack([matrix(table[f"{kind}_{axis}"]) for axis in "xy"], axis=-1)
            for kind in facts["kinds"]
        }
        channels = facts["channels"]
    return ChannelMaps(table["id"].to_pylist(), channels, places)


def _lists(values: NDArray[Any]) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(numbers(values), values.shape[1])


def _plain(value: Any) -> Any:
    """Return arrays as lists of six digits: more would vary with the number of threads."""
    if isinstance(value, np.ndarray):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
