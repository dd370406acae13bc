"""Inspecting latents channel by channel and position by position, in two passes over the shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.errors import LatentmapError
from latentmap.inspect.inspection import (
    ChannelMaps,
    ChannelMetrics,
    Floats,
    Inspection,
    write_inspection,
)
from latentmap.metrics.agreement import agreement
from latentmap.metrics.metric import LabelledEmbedding
from latentmap.metrics.metrics.silhouette import Silhouette, SilhouetteOptions
from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import NeighborGraph, NeighborList
from latentmap.neighbors.rows import DistanceMetric, compared
from latentmap.pool.embed import float_blocks
from latentmap.pool.grids import adaptive, cell_means, covering
from latentmap.project.components import principal_components
from latentmap.store.latents import LatentShard, read_shards
from latentmap.store.samples import read_samples

# What is kept of the channels that one pass looks at.
PASS_BYTES = 2**27
# A mean or a standard deviation over positions is float32: this share of its size is rounding.
ROUNDING = float(np.finfo(np.float32).eps)


class InspectOptions(Options):
    """Options of the inspection of latents.

    Attributes:
        k: nearest neighbors looked at.
        max_samples: of more samples than this, a random subset is compared with each other.
        seed: of that subset.
        grid: each channel is averaged to at most grid × grid cells before samples are compared.
    """

    k: int = Field(default=10, ge=1)
    max_samples: int = Field(default=2000, ge=2)
    seed: int = 0
    grid: int = Field(default=16, ge=1)


@dataclass(frozen=True)
class _Labelled:
    """The samples as codes.

    Attributes:
        ids: (N,) sample ids.
        labels: (L,) names.
        groups: (L,) the label group of each.
        codes: (N,) label of each sample, -1 where it has none.
        sources: (N,) source group of each sample.
    """

    ids: list[str]
    labels: list[str]
    groups: list[str]
    codes: NDArray[np.intp]
    sources: NDArray[np.intp]

    @property
    def counts(self) -> NDArray[np.intp]:
        """(L,) samples of each label."""
        return np.bincount(self.codes[self.known], minlength=len(self.labels))

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """(N,) whether a sample has a label; metrics of labels are those of these samples."""
        return self.codes >= 0


@dataclass(frozen=True)
class _Moments:
    """First and second moments of the channels.

    Attributes:
        means: (N, C) mean over positions.
        stds: (N, C) standard deviation over positions.
        within: (C, C) covariance over the positions of a sample, averaged over samples.
    """

    means: Floats
    stds: Floats
    within: Floats

    @cached_property
    def rounding(self) -> Floats:
        """(C,) how far a channel's means or deviations may be apart that are equal."""
        squares: Floats = (self.means**2 + self.stds**2).mean(axis=0)
        return ROUNDING * np.sqrt(squares)


def inspect_latents(
    latents: Sequence[Path | str],
    samples: Sequence[Path | str],
    options: InspectOptions,
    metric: DistanceMetric = "euclidean",
    *,
    metrics: Path | str,
    positions: Path | str,
    maps: Path | str,
) -> None:
    """Read the latents of one encoder and variant, and write what their parts say of the labels.

    Args:
        latents: shards of latents (C, H, W).
        samples: the shards of samples they belong to, in the same order.
        options: of the inspection.
        metric: by which the planes of a channel are compared.
        metrics: output, JSON.
        positions: output, Parquet.
        maps: output, Parquet.

    Raises:
        LatentmapError: a shard's ids are not its samples', the latents' shapes differ or are not
            (C, H, W), or a latent is not finite.
    """
    labelled = _read_labels(samples)
    shards = _open(latents, samples)
    inspection, channel_maps = inspect(shards, labelled, options, metric)
    write_inspection(metrics, positions, maps, inspection, channel_maps)


def _read_labels(samples: Sequence[Path | str]) -> _Labelled:
    table = read_samples(samples, ["id", "label", "label_group", "source_group"])
    has_label = table["label"].is_valid().to_numpy()
    names, first, found = np.unique(
        np.array(table["label"].drop_null().to_pylist(), np.str_),
        return_index=True,
        return_inverse=True,
    )
    codes = np.full(len(table), -1)
    codes[has_label] = found
    groups = table["label_group"].drop_null().to_pylist()
    sources = np.array(table["source_group"].to_pylist(), np.str_)
    return _Labelled(
        ids=table["id"].to_pylist(),
        labels=names.tolist(),
        groups=[groups[row] for row in first],
        codes=codes,
        sources=np.unique(sources, return_inverse=True)[1],
    )


def _open(latents: Sequence[Path | str], samples: Sequence[Path | str]) -> list[LatentShard]:
    shards = read_shards(latents, samples)
    if not shards:
        raise LatentmapError("There is no latent to inspect: every shard of samples is empty.")
    shape = shards[0].values.shape[1:]
    if len(shape) != 3:
        raise LatentmapError(
            f"{shards[0].path} has latents of {shape} where feature maps (C, H, W) are expected."
        )
    return shards


def inspect(
    shards: Sequence[LatentShard],
    labelled: _Labelled,
    options: InspectOptions,
    metric: DistanceMetric,
) -> tuple[Inspection, ChannelMaps]:
    """Inspect latents.

    Args:
        shards: with rows, of one shape (C, H, W).
        labelled: the samples of all shards.
        options: of the inspection.
        metric: by which the planes of a channel are compared.
    """
    channels, height, width = shards[0].values.shape[1:]
    rows = _compared(len(labelled.ids), options)
    grid = min(options.grid, height), min(options.grid, width)
    moments = _moments(shards, labelled.ids)
    metrics: list[ChannelMetrics] = []
    places = []
    between, within = (np.empty((channels, height, width)) for _ in range(2))
    for chosen in _passes(channels, (height, width), len(labelled.labels), len(rows), grid):
        between[chosen], within[chosen], planes = _sums(shards, labelled, chosen, rows, grid)
        for channel, values in zip(range(channels)[chosen], planes, strict=True):
            plane = compared(values, metric)
            metrics.append(_channel(plane, moments, channel, rows, labelled, options.k))
            places.append(principal_components(plane, 2).coordinates)
    members = labelled.codes == np.arange(len(labelled.labels))[:, np.newaxis]
    shares = members / labelled.counts[:, np.newaxis]
    x, y = np.moveaxis(np.stack(places, axis=1), -1, 0)
    of_means = _covariance(moments.means)
    inspection = Inspection(
        samples=len(labelled.ids),
        compared=len(rows),
        k=options.k,
        metric=metric,
        grid=grid,
        labels=labelled.labels,
        groups=labelled.groups,
        counts=labelled.counts.tolist(),
        channels=metrics,
        label_means=shares @ moments.means,
        label_stds=shares @ moments.stds,
        means=_summary(moments.means, moments.rounding),
        stds=_summary(moments.stds, moments.rounding),
        covariance_of_means=_varying(of_means, moments.rounding),
        covariance=_varying(moments.within + of_means, moments.rounding),
        positions=_f_statistic(between.sum(axis=0), within.sum(axis=0), labelled),
        channel_positions=_f_statistic(between, within, labelled),
    )
    return inspection, ChannelMaps([labelled.ids[row] for row in rows], x, y)


def _compared(count: int, options: InspectOptions) -> NDArray[np.intp]:
    """Return the rows that are compared with each other, ascending."""
    if count <= options.max_samples:
        return np.arange(count)
    chosen = np.random.default_rng(options.seed).choice(count, options.max_samples, replace=False)
    return np.sort(chosen)


def _moments(shards: Sequence[LatentShard], ids: Sequence[str]) -> _Moments:
    channels = shards[0].values.shape[1]
    means, stds = (np.empty((len(ids), channels)) for _ in range(2))
    within = np.zeros((channels, channels))
    for row, block in _blocks(shards, slice(None)):
        rows = slice(row, row + len(block))
        values = block.reshape(len(block), channels, -1)
        centre = values.mean(axis=-1, keepdims=True)
        _check_finite(centre, ids, row)
        centred = values - centre
        products = centred @ centred.transpose(0, 2, 1) / np.float32(values.shape[-1])
        means[rows] = centre[..., 0]
        stds[rows] = np.sqrt(np.diagonal(products, axis1=1, axis2=2))
        within += products.sum(axis=0, dtype=np.float64)
    return _Moments(means, stds, within / len(ids))


def _covariance(values: Floats) -> Floats:
    """Return the (C, C) population covariance of (N, C) values."""
    return np.atleast_2d(np.cov(values, rowvar=False, ddof=0))


def _varying(covariance: Floats, rounding: Floats) -> Floats:
    """Return a (C, C) covariance without that of channels whose spread is (C,) rounding."""
    varies = np.diagonal(covariance) > rounding**2
    return covariance * np.outer(varies, varies)


def _summary(values: Floats, rounding: Floats) -> Floats:
    """Return the mean of (N, C) values and their deviation, 0 where it is (C,) rounding."""
    stds = values.std(axis=0)
    return np.stack([values.mean(axis=0), np.where(stds > rounding, stds, 0)])


def _blocks(
    shards: Sequence[LatentShard], channels: slice
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the first row, over all shards, and the values of each block of rows."""
    before = 0
    for shard in shards:
        for start, block in float_blocks(shard.values[:, channels]):
            yield before + start, block
        before += len(shard.ids)


def _check_finite(means: NDArray[np.float32], ids: Sequence[str], start: int) -> None:
    finite = np.isfinite(means).all(axis=(1, 2))
    if not finite.all():
        row = start + int(np.argmin(finite))
        raise LatentmapError(
            f"The latent of '{ids[row]}' (row {row}) is not finite. Encode it again with float32 "
            "precision, or remove the sample."
        )


def _passes(
    channels: int, size: tuple[int, int], labels: int, rows: int, grid: tuple[int, int]
) -> Iterator[slice]:
    """Cut the channels so that what one pass keeps stays within memory."""
    each = 8 * (labels + 3) * int(np.prod(size)) + 4 * rows * int(np.prod(grid))
    step = max(1, PASS_BYTES // each)
    return (slice(start, min(start + step, channels)) for start in range(0, channels, step))


def _sums(
    shards: Sequence[LatentShard],
    labelled: _Labelled,
    channels: slice,
    rows: NDArray[np.intp],
    grid: tuple[int, int],
) -> tuple[Floats, Floats, NDArray[np.float32]]:
    """Pass over the latents once for some channels.

    Returns:
        The sums of squares between and within labels at each position, (c, H, W) each, of the
        samples that have a label, and the compared samples averaged to the grid, (c, n, h·w).
    """
    shape = shards[0].values[0, channels].shape
    across, along = (
        covering(adaptive(size, bins), size) for size, bins in zip(shape[1:], grid, strict=True)
    )
    sums = np.zeros((len(labelled.labels), *shape))
    squares = np.zeros(shape)
    planes = np.empty((shape[0], len(rows), *grid), np.float32)
    for row, block in _blocks(shards, channels):
        codes = labelled.codes[row : row + len(block)]
        told = block if (codes >= 0).all() else block[codes >= 0]
        for code, latent in zip(codes[codes >= 0], told, strict=True):
            sums[code] += latent
        squares += np.square(told, dtype=np.float64).sum(axis=0)
        here = slice(*np.searchsorted(rows, (row, row + len(block))))
        cells = cell_means(block[rows[here] - row], across, along)
        planes[:, here] = cells.swapaxes(0, 1)
    total = sums.sum(axis=0) ** 2 / max(int(labelled.known.sum()), 1)
    sums **= 2
    of_labels = np.einsum("l,l...->...", 1 / labelled.counts, sums)
    # The values are exact; adding up so many of them in float64 loses no more than this.
    lost = 2 * len(labelled.ids) * np.finfo(np.float64).eps * squares
    within = np.where(squares - of_labels > lost, squares - of_labels, 0)
    return of_labels - total, within, planes.reshape(shape[0], len(rows), -1)


def _f_statistic(between: Any, within: Any, labelled: _Labelled) -> Any:
    """Return the F statistic of an analysis of variance; NaN where it is not defined."""
    undefined = np.full(np.shape(between), np.nan)
    if not _tells_apart(labelled.codes[labelled.known]):
        return undefined
    labels, count = len(labelled.labels), int(labelled.known.sum())
    freedom = (count - labels) / (labels - 1)
    return freedom * np.divide(between, within, out=undefined, where=np.asarray(within) > 0)


def _channel(
    plane: NDArray[np.float32],
    moments: _Moments,
    channel: int,
    rows: NDArray[np.intp],
    labelled: _Labelled,
    k: int,
) -> ChannelMetrics:
    """Return the metrics of one channel.

    Args:
        plane: (n, cells) the channel of the compared samples, as rows that are compared.
        moments: of all channels of all samples.
        channel: its number.
        rows: (n,) the compared samples.
        labelled: all samples.
        k: nearest neighbors looked at.
    """
    known = labelled.known[rows]
    if not known.any():
        return ChannelMetrics(*[np.nan] * len(fields(ChannelMetrics)))
    plane, rows = plane[known], rows[known]
    ids = [labelled.ids[row] for row in rows]
    means = moments.means[:, channel]
    codes = np.unique(labelled.codes[rows], return_inverse=True)[1]
    sources = labelled.sources[rows]
    graph = find_neighbors(ids, plane, sources.astype(np.str_).tolist(), k)
    every = _share(codes, graph.every, np.arange(len(rows)), k)
    grouped = _share(codes, graph.grouped, sources, k)
    return ChannelMetrics(
        f=_f_of_means(means, moments.rounding[channel], labelled),
        silhouette=_silhouette(means[rows], codes, graph),
        knn=every[0],
        knn_chance=every[1],
        knn_grouped=grouped[0],
        knn_grouped_chance=grouped[1],
    )


def _share(
    codes: NDArray[np.intp], neighbors: NeighborList, groups: NDArray[np.intp], k: int
) -> tuple[float, float]:
    """Return the same-label share of the neighbors, which are of other groups, and its chance."""
    if len(codes) <= k or len(np.unique(groups)) < 2 or not _tells_apart(codes):
        return np.nan, np.nan
    found = agreement(codes, neighbors, groups, k)
    return float(found.shares.mean()), float(found.chances.mean())


def _tells_apart(codes: NDArray[np.intp]) -> bool:
    """Return whether there is more than one label, and one with more than one sample."""
    return 1 < len(np.unique(codes)) < len(codes)


def _f_of_means(means: Floats, rounding: float, labelled: _Labelled) -> float:
    means, codes = means[labelled.known], labelled.codes[labelled.known]
    centred = means - means.mean()
    squares = float(centred @ centred)
    between = float((np.bincount(codes, centred) ** 2 / labelled.counts).sum())
    within = squares - between
    if within <= len(means) * rounding**2:
        return np.nan
    return float(_f_statistic(between, within, labelled))


def _silhouette(means: Floats, codes: NDArray[np.intp], graph: NeighborGraph) -> float:
    names = codes.astype(np.str_)
    values = means.astype(np.float32)[:, np.newaxis]
    # One source group for all: nobody asks for the interval of a channel.
    data = LabelledEmbedding(values, names, names, np.full(len(codes), ""), graph, 1)
    return Silhouette(SilhouetteOptions()).measure(data)["silhouette"].value
