"""What an inspection of latents found, and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.neighbors.rows import DistanceMetric
from latentmap.store.files import read_json, reading, write_json
from latentmap.store.tables import matrix, numbers, read_parquet, strings, write_parquet

Floats = NDArray[np.float64]

ARRAYS = ("label_means", "label_stds", "means", "stds", "covariance_of_means", "covariance")


@dataclass(frozen=True)
class ChannelMetrics:
    """What one channel says of the labels; NaN where a metric is not defined.

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
        channels: (C,) metrics.
        label_means: (L, C) mean over a label's samples of the channel's mean over positions.
        label_stds: (L, C) the same of its standard deviation over positions.
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
    label_means: Floats
    label_stds: Floats
    means: Floats
    stds: Floats
    covariance_of_means: Floats
    covariance: Floats
    positions: Floats
    channel_positions: Floats


@dataclass(frozen=True)
class ChannelMaps:
    """The first two principal components of each channel.

    Attributes:
        ids: (n,) compared samples, in their order.
        x: (n, C) first component.
        y: (n, C) second component.
    """

    ids: list[str]
    x: NDArray[np.float32]
    y: NDArray[np.float32]


def write_inspection(
    metrics: Path | str, positions: Path | str, maps: Path | str, found: Inspection, of: ChannelMaps
) -> None:
    """Write an inspection.

    Args:
        metrics: JSON file: everything but positions and maps.
        positions: Parquet file: row, column, f over all channels, and f of each channel.
        maps: Parquet file: id, and the two coordinates in each channel's map.
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
    write_parquet(maps, pa.table({"id": strings(of.ids), "x": _lists(of.x), "y": _lists(of.y)}))


def read_inspection(metrics: Path | str, positions: Path | str) -> Inspection:
    """Read an inspection without its maps."""
    plain = read_json(metrics)
    with reading(metrics, "an inspection"):
        for name in ARRAYS:
            plain[name] = np.array(plain[name], np.float64)
        plain["channels"] = [
            ChannelMetrics(**{name: np.nan if v is None else v for name, v in one.items()})
            for one in plain["channels"]
        ]
    table = read_parquet(positions, ["row", "column", "f", "f_channels"])
    shape = matrix(table["row"])[-1] + 1, matrix(table["column"])[-1] + 1
    return Inspection(
        **plain | {"grid": tuple(plain["grid"])},
        positions=matrix(table["f"]).reshape(shape),
        channel_positions=matrix(table["f_channels"]).T.reshape(-1, *shape),
    )


def read_channel_maps(path: Path | str) -> ChannelMaps:
    """Read the maps of each channel."""
    table = read_parquet(path, ["id", "x", "y"])
    return ChannelMaps(table["id"].to_pylist(), matrix(table["x"]), matrix(table["y"]))


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
