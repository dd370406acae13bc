"""What a metric is, and what it measures."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import ClassVar, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from latentmap.config import Options, Plugin, Registry, unknown
from latentmap.errors import LatentmapError
from latentmap.metrics.contributions import Contributions
from latentmap.metrics.density import DensityOptions, LocalDensity, local_density
from latentmap.metrics.exchange import Exchange
from latentmap.metrics.inference import StatisticsOptions
from latentmap.neighbors.distances import Points, column_blocks
from latentmap.neighbors.graph import NeighborGraph
from latentmap.neighbors.search import NeighborOptions, find_neighbors

# Up to this many rows a table of all pairs is kept for the metrics that share it.
SHARED_ROWS = 4096


class Key(NamedTuple):
    """What one set of metrics is about."""

    encoder: str
    variant: str
    method: str

    @property
    def name(self) -> str:
        """How it is called in sentences and tables."""
        return f"{self.encoder} / {self.method} ({self.variant})"


@dataclass(frozen=True)
class LabelledEmbedding:
    """One embedding with its labels and neighbors; what several metrics need is computed once.

    Attributes:
        values: (N, D) float32 rows as the run compares them.
        labels: (N,) label names; "" where a sample has none.
        label_groups: (N,) names of the coarser classes; the same.
        source_groups: (N,) names of what must not leak.
        graph: its neighbors.
        tokens: tokens that the pooling method would hand to a model.
        statistics: how chance and uncertainty are estimated.
        density: how the local density is computed.
        search: how the graph was made.
        lengths: (N,) of the rows before they were brought to length 1; None where they are
            compared as they are.
    """

    values: NDArray[np.float32]
    labels: NDArray[np.str_]
    label_groups: NDArray[np.str_]
    source_groups: NDArray[np.str_]
    graph: NeighborGraph
    tokens: int
    statistics: StatisticsOptions = field(default_factory=StatisticsOptions)
    density: DensityOptions = field(default_factory=DensityOptions)
    search: NeighborOptions = field(default_factory=NeighborOptions)
    lengths: NDArray[np.float64] | None = None

    @cached_property
    def labelled(self) -> LabelledEmbedding | None:
        """The samples that have a label, as if there were no others; None if none has one."""
        rows = np.flatnonzero(self.labels != "")
        if len(rows) == 0 or len(rows) == len(self.labels):
            return self if len(rows) else None
        return self.only(rows)

    def only(self, rows: NDArray[np.intp]) -> LabelledEmbedding:
        """Return some samples as if there were no others; their neighbors are found anew."""
        values, groups = self.values[rows], self.source_groups[rows]
        ids = [self.graph.ids[row] for row in rows.tolist()]
        return replace(
            self,
            values=values,
            labels=self.labels[rows],
            label_groups=self.label_groups[rows],
            source_groups=groups,
            graph=find_neighbors(ids, values, groups.tolist(), self.search),
            lengths=None if self.lengths is None else self.lengths[rows],
        )

    @property
    def zero_rows(self) -> int:
        """How many rows have no direction where directions are compared."""
        return 0 if self.lengths is None else int((self.lengths == 0).sum())

    @property
    def dimensions(self) -> int:
        """Of the embedding, without the one that rows without a direction share."""
        return self.values.shape[1] - (self.zero_rows > 0)

    @cached_property
    def sources(self) -> NDArray[np.intp]:
        """(N,) number of each sample's source group."""
        return np.unique(self.source_groups, return_inverse=True)[1]

    def exchange(self, codes: NDArray[np.intp]) -> Exchange:
        """Return which samples change places in permutation tests of (N,) classes."""
        scheme = self.statistics.scheme
        groups = np.arange(len(codes)) if scheme == "free" else self.sources
        return Exchange(codes, groups, whole=scheme != "within")

    @cached_property
    def local_density(self) -> LocalDensity:
        """How dense the embedding is around each sample."""
        return local_density(self.graph, self.density.k, self.density.weights)

    @cached_property
    def classes(self) -> NDArray[np.str_]:
        """Sorted names of the labels that occur."""
        return np.unique(self.labels)

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """(N,) positions of the labels in `classes`."""
        return np.searchsorted(self.classes, self.labels)

    @property
    def compact(self) -> NDArray[np.float32]:
        """(N, r) rows with the same distances as `values`, in fewer dimensions where known."""
        return self.values if self.graph.rotated is None else self.graph.rotated

    @cached_property
    def points(self) -> Points:
        """The rows as points around their centre."""
        return Points(self.compact)

    @cached_property
    def group_codes(self) -> NDArray[np.intp]:
        """(N,) number of each sample's label group."""
        return np.unique(self.label_groups, return_inverse=True)[1]

    @cached_property
    def class_sizes(self) -> NDArray[np.intp]:
        """(classes,) samples of each label."""
        return np.bincount(self.codes, minlength=len(self.classes))

    @property
    def centroids(self) -> NDArray[np.float64]:
        """(classes, r) mean of each label's samples in `compact`."""
        return self._centroids_and_spread[0]

    @property
    def spread(self) -> NDArray[np.float64]:
        """(N,) squared distance of each sample to the centroid of its label."""
        return self._centroids_and_spread[1]

    @cached_property
    def _centroids_and_spread(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        centroids = np.empty((len(self.classes), self.compact.shape[1]))
        spread = np.zeros(len(self.values))
        for code in range(len(self.classes)):
            rows = np.flatnonzero(self.codes == code)
            members = self.compact[rows]
            centroids[code] = members.mean(axis=0, dtype=np.float64)
            for columns in column_blocks(members):
                step = members[:, columns] - centroids[code, columns]
                spread[rows] += np.einsum("ij,ij->i", step, step)
        return centroids, spread

    @cached_property
    def between(self) -> float:
        """Squared distance of each sample's label centroid to the mean, summed over samples."""
        step = self.centroids - self.class_sizes @ self.centroids / len(self.values)
        return float(self.class_sizes @ np.einsum("ij,ij->i", step, step))

    @cached_property
    def centroid_distances(self) -> NDArray[np.float64]:
        """(classes, classes) distances between the labels' centroids."""
        return np.stack(
            [np.sqrt(((self.centroids - one) ** 2).sum(axis=1)) for one in self.centroids]
        )

    @property
    def resolution(self) -> float:
        """Distance from which two places differ by more than rounding."""
        return math.sqrt(self.points.rounding / len(self.values))

    @cached_property
    def is_constant(self) -> bool:
        """Whether all samples have the same values."""
        return bool((self.compact == self.compact[0]).all())

    @property
    def obstacle(self) -> str | None:
        """Why no metric about labels is defined, if none is."""
        return self._obstacle(len(self.classes), "label")

    @property
    def group_obstacle(self) -> str | None:
        """Why no metric about label groups is defined, if none is."""
        return self._obstacle(len(np.unique(self.label_groups)), "label group")

    def _obstacle(self, classes: int, noun: str) -> str | None:
        if classes < 2:
            return f"All samples have the same {noun}."
        if classes == len(self.values):
            return f"No two samples share a {noun}."
        return "All samples have the same values." if self.is_constant else None


@dataclass(frozen=True)
class MetricColumn:
    """What one value of a metric says.

    Attributes:
        meaning: one line for tables and tooltips.
        title: what pages call it; its key if empty.
        better: which direction is better, if either is.
        bounds: lowest and highest possible value, if there are any; intervals stay inside.
        ranks: whether it has `Contributions`, from which methods can be compared.
        counts: whether it is a number of things, which is whole.
    """

    meaning: str
    title: str = ""
    better: Literal["higher", "lower"] | None = None
    bounds: tuple[float, float] | None = None
    ranks: bool = False
    counts: bool = False

    def effect(self, value: float, chance: float | None) -> float | None:
        """Return how far a value is on the way from its chance level to the best possible one.

        (value - chance) / (1 - chance), as Cohen's kappa (1960): 0 is chance, 1 is perfect, and
        below 0 is worse than chance. Shares and accuracies have it, of which 1 is the best value.
        """
        has_best = self.bounds == (0, 1) and self.better == "higher"
        if not has_best or chance is None or chance >= 1 or math.isnan(value):
            return None
        return (value - chance) / (1 - chance)


def share_column(meaning: str, title: str = "", *, ranks: bool = False) -> MetricColumn:
    """Return the column of a share or an accuracy: from 0 to 1, and 1 is best."""
    return MetricColumn(meaning, title, better="higher", bounds=(0, 1), ranks=ranks)


@dataclass(frozen=True)
class Measurement:
    """One value of a metric.

    Attributes:
        value: NaN where it is not defined.
        chance: its expected value if labels had nothing to do with the embedding, where known.
            Where there is a p-value, the mean over the permutations that it comes from.
        interval: 95 % interval, where computed.
        p_value: of the hypothesis that labels have nothing to do with it, where computed.
        effect: the value corrected for chance (`MetricColumn.effect`), where 1 is the best.
        note: why the value is not defined, or what was left out.
        contributions: what each source group contributes, where each was left out. The interval
            and comparisons of methods rest on it; a metric without it may give an interval itself.
        chance_range: where it lies in 95 % of the permutations.
        by_label: (classes,) by name, what the metric says of the samples of each label; NaN where
            it is not defined.
        label_deviations: (permutations,) the largest deviation of any label from its chance level
            (`ChanceLevels.deviations`).
        by_k: what it is for other numbers of neighbors, by their number.
    """

    value: float
    chance: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    note: str | None = None
    contributions: Contributions | None = field(default=None, repr=False, compare=False)
    chance_range: tuple[float, float] | None = None
    by_label: Mapping[str, NDArray[np.float64]] = field(
        default_factory=dict, repr=False, compare=False
    )
    label_deviations: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    by_k: Mapping[int, Measurement] = field(default_factory=dict, repr=False, compare=False)
    effect: float | None = None


def at_k(name: str, k: int | str) -> str:
    """Return the name of a metric's scores for another number of neighbors."""
    return f"{name}@{k}"


M_co = TypeVar("M_co", bound=Options, covariant=True)


class Metric(Plugin[M_co]):
    """Something to measure on a labelled embedding.

    Attributes:
        columns: what it gives, by name.
        needs_labels: whether every sample that it measures must have a label.
        reads_neighbors: whether they are made from neighbors, whose recall is then said with them.
    """

    columns: ClassVar[dict[str, MetricColumn]]
    needs_labels: ClassVar[bool] = True
    reads_neighbors: ClassVar[bool] = False

    @classmethod
    def flaws(cls) -> Iterator[str]:
        """Yield that it has no column."""
        if not cls.columns:
            yield "has no column in 'columns'"

    @abstractmethod
    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure every column of `columns`."""

    def undefined(self, reason: str) -> dict[str, Measurement]:
        """Return every column as not defined, for this reason."""
        return {name: Measurement(float("nan"), note=reason) for name in self.columns}


METRICS: Registry[Metric[Options]] = Registry("latentmap.metrics.metrics", Metric, "metric")

MACRO = "_macro"
"""In the name of a metric that is a mean over labels, not over samples."""
GROUPED = "_grouped"
"""Ends the name of a metric on neighbors of other source groups."""
HEADLINE = f"knn_category_acc{GROUPED}"
"""The metric that ranks methods where the configuration names none."""

# The order in which tables show the metrics; those of further metrics follow.
LEADING = (
    "silhouette",
    "f_ratio",
    "davies_bouldin",
    "calinski_harabasz",
    "effective_dim_90",
    "effective_dim_95",
    "effective_dim_99",
    "feature_entropy",
    "knn_category_acc",
    "knn_category_rate_mean",
    "knn_category_rate_median",
    "knn_group_acc",
    "knn_group_rate_mean",
    "mean_intra_distance",
    "mean_inter_distance",
    "distance_ratio",
    "n_samples",
    "n_dimensions",
    "n_classes",
    "n_tokens",
)


def headlines(chosen: str) -> tuple[str, ...]:
    """Return the metric that ranks, then what does where all samples share one source group."""
    return tuple(dict.fromkeys((chosen, chosen.removesuffix(GROUPED))))


def cannot_rank(headline: str, able: Sequence[str]) -> str:
    """Say why a metric cannot rank methods, and which of those that are measured can."""
    known = known_metrics()
    if headline not in known:
        return f"headline: {unknown('metric', headline, able)}".removesuffix(".")
    why = "is not measured"
    if not known[headline].ranks:
        why = "cannot rank methods: what single source groups contribute to it is not known"
    choice = f"choose one of {', '.join(able)}" if able else "no metric that can is measured"
    return f"headline: {headline} {why}; {choice}"


def title_of(name: str) -> str:
    """Return what pages call a metric."""
    known = known_metrics().get(name)
    return known.title if known and known.title else name


def with_others(named: Iterable[str]) -> list[str]:
    """Return metrics, then of each plug-in of which none is named the first that can be better."""
    named = list(named)
    others = []
    for plugin in METRICS:
        columns = METRICS[plugin].columns
        if not columns.keys() & set(named):
            others += [name for name, column in columns.items() if column.better][:1]
    return [*named, *others]


def known_metrics() -> Mapping[str, MetricColumn]:
    """Return every column of every metric, in the order of tables.

    Raises:
        LatentmapError: two metrics give columns of one name.
    """
    return _columns_of(METRICS.names())


@cache
def _columns_of(metrics: tuple[str, ...]) -> Mapping[str, MetricColumn]:
    givers: dict[str, str] = {}
    for metric in metrics:
        for name in METRICS[metric].columns:
            if givers.setdefault(name, metric) != metric:
                raise LatentmapError(
                    f"The metrics '{givers[name]}' and '{metric}' both give a column '{name}'. "
                    "Rename one."
                )
    found = {name: column for metric in metrics for name, column in METRICS[metric].columns.items()}
    ordered = [name for name in LEADING if name in found]
    return {name: found[name] for name in (*ordered, *(n for n in found if n not in LEADING))}
