"""Inspecting latents channel by channel and position by position, in two passes over the shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Literal, NamedTuple

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
    ranked,
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
from latentmap.project.projection import PROJECTIONS
from latentmap.store.latents import LatentShards, open_latents
from latentmap.store.samples import read_samples

# What is kept of the channels that one pass looks at.
PASS_BYTES = 2**27
# Of latents whose positions take more multiplications than this to compare, a minute or two of
# one core, coarser grids are compared.
MOST_PRODUCTS = 10**12
COARSE = 16
# Channels that have maps: the best ones.
MAPPED = 16
# Neighbors that the maps ask for: three for each of t-SNE's perplexity of 30.
MAP_NEIGHBORS = 90
# A mean or a standard deviation over positions is float32: this share of its size is rounding.
ROUNDING = float(np.finfo(np.float32).eps)


class InspectOptions(Options):
    """Options of the inspection of latents.

    Attributes:
        k: nearest neighbors looked at.
        max_samples: of more samples than this, a random subset is compared with each other.
        seed: of that subset.
        grid: each channel is averaged to at most grid × grid cells before samples are compared;
            by default not at all, or to 16 × 16 where channels × compared samples² × positions
            are more than 10¹².
        maps: what the maps of each channel, of the 16 best, are made by: `pca`, `tsne`, `umap`.
    """

    k: int = Field(default=10, ge=1)
    max_samples: int = Field(default=2000, ge=2)
    seed: int = 0
    grid: int | None = Field(default=None, ge=1)
    maps: tuple[Literal["pca", "tsne", "umap"], ...] = ("pca",)


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
    def grouped(self) -> _Labelled:
        """The same samples with their label groups as labels."""
        names, of_labels = np.unique(np.array(self.groups, np.str_), return_inverse=True)
        codes = np.append(of_labels, -1)[self.codes]
        return replace(self, labels=names.tolist(), groups=names.tolist(), codes=codes)

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
    inspection, channel_maps = inspect(_open(latents, samples), labelled, options, metric)
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


def _open(latents: Sequence[Path | str], samples: Sequence[Path | str]) -> LatentShards:
    found = open_latents(latents, samples)
    if not found.count:
        raise LatentmapError("There is no latent to inspect: every shard of samples is empty.")
    if len(found.shape) != 3:
        first = next(iter(found.shards()))
        raise LatentmapError(
            f"{first.path} has latents of {found.shape} where feature maps (C, H, W) are expected."
        )
    return found


def inspect(
    latents: LatentShards,
    labelled: _Labelled,
    options: InspectOptions,
    metric: DistanceMetric,
) -> tuple[Inspection, ChannelMaps]:
    """Inspect latents.

    Args:
        latents: of all samples, (C, H, W) each.
        labelled: the samples of all shards.
        options: of the inspection.
        metric: by which the planes of a channel are compared.
    """
    shape = latents.shape
    rows = _compared(len(labelled.ids), options)
    grid = _grid(shape, len(rows), options.grid)
    moments = _moments(latents, labelled.ids)
    kinds = (labelled, labelled.grouped)
    metrics: list[list[ChannelMetrics]] = [[], []]
    best: list[_Mapped] = []
    between, within = (np.empty(shape) for _ in range(2))
    for chosen in _passes(shape, len(labelled.labels), len(rows), grid):
        between[chosen], within[chosen], planes = _sums(latents, labelled, chosen, rows, grid)
        for channel, values in zip(range(shape[0])[chosen], planes, strict=True):
            plane = compared(values, metric)
            graph = _neighbors(plane, labelled, rows, max(options.k, MAP_NEIGHBORS))
            told = labelled.known[rows]
            if told.any() and not told.all():
                among = _neighbors(plane[told], labelled, rows[told], options.k)
            else:
                among = graph
            for found, classes in zip(metrics, kinds, strict=True):
                found.append(_channel(among, moments, channel, rows, classes, options.k))
            best.append(_Mapped(channel, plane if graph.rotated is None else graph.rotated, graph))
            first = ranked(metrics[0])[:MAPPED]
            best = [one for one in best if one.channel in first]
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
        channels=metrics[0],
        group_channels=metrics[1],
        label_means=_by_label(moments.means, labelled),
        label_spreads=_spreads(moments.means, labelled),
        label_stds=_by_label(moments.stds, labelled),
        means=_summary(moments.means, moments.rounding),
        stds=_summary(moments.stds, moments.rounding),
        covariance_of_means=_varying(of_means, moments.rounding),
        covariance=_varying(moments.within + of_means, moments.rounding),
        positions=_f_statistic(between.sum(axis=0), within.sum(axis=0), labelled),
        channel_positions=_f_statistic(between, within, labelled),
    )
    return inspection, ChannelMaps(
        ids=[labelled.ids[row] for row in rows],
        channels=[one.channel for one in best],
        places={kind: np.stack([one.place(kind) for one in best], 1) for kind in options.maps},
    )


class _Mapped(NamedTuple):
    """A channel that gets maps.

    Attributes:
        channel: its number.
        compact: (n, r) rows with the distances of the compared samples in this channel.
        graph: their neighbors.
    """

    channel: int
    compact: NDArray[np.float32]
    graph: NeighborGraph

    def place(self, kind: str) -> NDArray[np.float32]:
        """Return the map of a kind, (n, 2)."""
        return PROJECTIONS.create(kind).place(lambda: self.compact, self.graph).coordinates


def _grid(shape: tuple[int, ...], rows: int, most: int | None) -> tuple[int, int]:
    """Return the cells that each channel of latents of this (C, H, W) is compared by."""
    if most is None:
        most = max(shape) if prod(shape) * rows**2 <= MOST_PRODUCTS else COARSE
    return min(most, shape[1]), min(most, shape[2])


def _by_label(values: Floats, labelled: _Labelled) -> Floats:
    """Return the mean of (N, C) values over the samples of each label, (L, C)."""
    counts = labelled.counts
    # Label by label: members of all labels would take as many bytes as labels × samples.
    means = [(labelled.codes == code) / counts[code] @ values for code in range(len(counts))]
    return np.reshape(means, (-1, values.shape[1]))


def _spreads(values: Floats, labelled: _Labelled) -> Floats:
    """Return their standard deviation over the samples of each label, (L, C); NaN of a single one.

    It divides by the number of samples, as all standard deviations here.
    """
    spreads = [values[labelled.codes == code].std(axis=0) for code in range(len(labelled.labels))]
    found = np.reshape(spreads, (-1, values.shape[1]))
    found[labelled.counts < 2] = np.nan
    return found


def _compared(count: int, options: InspectOptions) -> NDArray[np.intp]:
    """Return the rows that are compared with each other, ascending."""
    if count <= options.max_samples:
        return np.arange(count)
    chosen = np.random.default_rng(options.seed).choice(count, options.max_samples, replace=False)
    return np.sort(chosen)


def _moments(latents: LatentShards, ids: Sequence[str]) -> _Moments:
    channels = latents.shape[0]
    means, stds = (np.empty((len(ids), channels)) for _ in range(2))
    within = np.zeros((channels, channels))
    for row, block in _blocks(latents, slice(None)):
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


def _blocks(latents: LatentShards, channels: slice) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield the first row, over all shards, and the values of each block of rows."""
    before = 0
    for shard in latents.shards():
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
    shape: tuple[int, ...], labels: int, rows: int, grid: tuple[int, int]
) -> Iterator[slice]:
    """Cut the channels of (C, H, W) so that what one pass keeps stays within memory."""
    channels, *size = shape
    step = max(1, PASS_BYTES // (8 * (labels + 3) * prod(size) + 4 * rows * prod(grid)))
    return (slice(start, min(start + step, channels)) for start in range(0, channels, step))


def _sums(
    latents: LatentShards,
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
    shape = (len(range(latents.shape[0])[channels]), *latents.shape[1:])
    across, along = (
        covering(adaptive(size, bins), size) for size, bins in zip(shape[1:], grid, strict=True)
    )
    sums = np.zeros((len(labelled.labels), *shape))
    squares = np.zeros(shape)
    planes = np.empty((shape[0], len(rows), *grid), np.float32)
    for row, block in _blocks(latents, channels):
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


def _neighbors(
    plane: NDArray[np.float32], labelled: _Labelled, rows: NDArray[np.intp], k: int
) -> NeighborGraph:
    """Return the neighbors of some samples, (n,) rows, by their (n, cells) plane of a channel."""
    ids = [labelled.ids[row] for row in rows]
    sources = labelled.sources[rows].astype(np.str_).tolist()
    return find_neighbors(ids, plane, sources, k)


def _channel(
    graph: NeighborGraph,
    moments: _Moments,
    channel: int,
    rows: NDArray[np.intp],
    labelled: _Labelled,
    k: int,
) -> ChannelMetrics:
    """Return the metrics of one channel.

    Args:
        graph: neighbors of the compared samples that have a label, by this channel.
        moments: of all channels of all samples.
        channel: its number.
        rows: (n,) the compared samples.
        labelled: all samples.
        k: nearest neighbors looked at.
    """
    rows = rows[labelled.known[rows]]
    if not len(rows):
        return ChannelMetrics(*[np.nan] * len(fields(ChannelMetrics)))
    means = moments.means[:, channel]
    codes = np.unique(labelled.codes[rows], return_inverse=True)[1]
    every = _share(codes, graph.every, np.arange(len(rows)), k)
    grouped = _share(codes, graph.grouped, labelled.sources[rows], k)
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
    # The graph is that of the plane, whose rotated rows are not the means. One source group for
    # all: nobody asks for the interval of a channel.
    graph = replace(graph, rotated=None)
    data = LabelledEmbedding(values, names, names, np.full(len(codes), ""), graph, 1)
    return Silhouette(SilhouetteOptions()).measure(data)["silhouette"].value
