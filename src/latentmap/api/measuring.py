"""Measuring and ranking of vectors in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentmap.api.given import Column, Rows, cells_of, names_of, rows_of
from latentmap.api.neighborhoods import graph_of, groups_of
from latentmap.api.tables import Tabular
from latentmap.api.waiting import bar_of
from latentmap.config import checked, unknown
from latentmap.errors import LatentmapError
from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import describe, labelled, measure_by, scores_of
from latentmap.metrics.metric import (
    HEADLINE,
    METRICS,
    Key,
    LabelledEmbedding,
    Metric,
    cannot_rank,
    headlines,
    known_metrics,
    title_of,
)
from latentmap.metrics.ranking import Scored, p_values_of, ranked, tested_p_values
from latentmap.neighbors.rows import DistanceMetric
from latentmap.neighbors.search import NeighborOptions

if TYPE_CHECKING:
    import polars as pl

Chosen = Sequence[str | type[Metric[Any]] | Metric[Any]]
"""Metrics by name, or classes and objects of your own that derive from `Metric`."""

NAMED = 5
"""Embeddings that may be best whose names a caption has."""

Targets = Mapping[str, Column] | Sequence[str] | Any
"""Values by name, a data frame, or names of columns of the rows."""

RANKED = ("arrays", "plain")
"""What a ranking of arrays has in the place of encoder and variant."""


class Measured(NamedTuple):
    """One metric.

    Attributes:
        value: NaN where it is not defined.
        chance: what it would be if labels had nothing to do with the vectors; None if unknown.
        interval: of 95 %, over source groups; None where there are too few.
        p_value: of the hypothesis that labels have nothing to do with the vectors.
        effect: how far the value is on the way from chance (0) to perfect (1), of shares.
        note: why it is not defined, or what must be known of it.
    """

    value: float
    chance: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    effect: float | None
    note: str | None


@dataclass(frozen=True, repr=False)
class Measures(Tabular):
    """All metrics of one embedding; `measures["silhouette"]` is one of them.

    Attributes:
        facts: all that was found, as a run's `metrics.json` has it: how chance was estimated, how
            neighbors were found, every metric, and what metrics say of each label.
        scores: by metric, what each sample contributes to it, (N,) float32.
        groups: (N,) number of each sample's source group.
        statistics: how chance and uncertainty are estimated.
        kept: one line per figure of each target: what is kept of it, against chance; None where
            there are no targets.
    """

    facts: Mapping[str, Any]
    scores: Mapping[str, NDArray[np.float32]]
    groups: NDArray[np.intp]
    statistics: StatisticsOptions
    kept: pl.DataFrame | None = None

    def __getitem__(self, name: str) -> Measured:
        if name not in self.facts["metrics"]:
            raise KeyError(unknown("metric", name, self.facts["metrics"]))
        entry = self.facts["metrics"][name]
        value = float("nan") if entry["value"] is None else entry["value"]
        interval = entry["interval"] and tuple(entry["interval"])
        others = (entry[name] for name in ("p_value", "effect", "note"))
        return Measured(value, entry["chance"], interval, *others)

    def __iter__(self) -> Any:
        there = self.facts["metrics"]
        return iter(dict.fromkeys([*(name for name in known_metrics() if name in there), *there]))

    def __len__(self) -> int:
        return len(self.facts["metrics"])

    @property
    def values(self) -> dict[str, float]:
        """The value of every metric."""
        return {name: self[name].value for name in self}

    @property
    def chance(self) -> dict[str, float | None]:
        """The chance level of every metric."""
        return {name: self[name].chance for name in self}

    @property
    def intervals(self) -> dict[str, tuple[float, float] | None]:
        """The interval of every metric."""
        return {name: self[name].interval for name in self}

    @property
    def p_values(self) -> dict[str, float | None]:
        """The p-value of every metric."""
        return {name: self[name].p_value for name in self}

    def to_polars(self) -> pl.DataFrame:
        """Return one line per metric: metric, value, chance, low, high, p_value, effect, note."""
        import polars as pl

        rows = []
        for name in self:
            one = self[name]
            low, high = one.interval or (None, None)
            rows.append((name, one.value, one.chance, low, high, one.p_value, one.effect, one.note))
        numbers = ("value", "chance", "low", "high", "p_value", "effect")
        schema = {"metric": pl.String, **dict.fromkeys(numbers, pl.Float64), "note": pl.String}
        return pl.DataFrame(rows, schema, orient="row")

    def by_label(self) -> pl.DataFrame:
        """Return one line per label: its number of samples, and what metrics say of it."""
        import polars as pl

        return pl.DataFrame([{"label": k, **v} for k, v in self.facts["labels"].items()])

    @property
    def _caption(self) -> str:
        facts = self.facts
        groups = f"{facts['source_groups']:,} source groups"
        return f"{len(self)} metrics of {facts['samples']:,} samples in {groups}"


@dataclass(frozen=True, repr=False)
class Ranking(Tabular):
    """Embeddings of the same samples, best first, and how sure the order is.

    Attributes:
        measures: by name, all metrics of each embedding.
        facts: all that was found, as a run's `ranking.json` has it.
    """

    measures: Mapping[str, Measures]
    facts: Mapping[str, Any]

    @property
    def metric(self) -> str:
        """The metric that ranks."""
        return str(self.facts["metric"])

    @property
    def best(self) -> str:
        """Name of the embedding with the highest value.

        Raises:
            LatentmapError: the metric is not defined for any.
        """
        if not self._rows:
            raise LatentmapError(f"There is no best: {self.facts['note']}")
        return _name(self._rows[0])

    @property
    def tied(self) -> list[str]:
        """Names of all that may be the best one, as far as these samples tell, best first."""
        return [_name(row) for row in self._rows if row["may_be_best"] is not False]

    @property
    def note(self) -> str | None:
        """Why nothing is sure of the order, if so."""
        note: str | None = self.facts["note"]
        return note

    def to_polars(self) -> pl.DataFrame:
        """Return one line per embedding, best first.

        Intervals hold all at once in 95 % of samples; `p_value` is against chance, adjusted for the
        number of embeddings (Holm); `p_best` is that of being the best or one of equal ones, and
        `may_be_best` says whether it is above 0.05.
        """
        import polars as pl

        rows = [
            (
                _name(row),
                row["value"],
                self.measures[_name(row)][self.metric].chance,
                *(row["interval"] or (None, None)),
                row["p_adjusted"].get(self.metric),
                row["p_best"],
                row["may_be_best"],
            )
            for row in self._rows
        ]
        names = (self.metric, "chance", "low", "high", "p_value", "p_best")
        schema = {
            "name": pl.String,
            **dict.fromkeys(names, pl.Float64),
            "may_be_best": pl.Boolean,
        }
        return pl.DataFrame(rows, schema, orient="row")

    @property
    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.facts["scopes"][0]["ranking"]
        return rows

    @property
    def _caption(self) -> str:
        of = f"{len(self.measures)} embeddings by {title_of(self.metric)}"
        if self.note:
            return f"{of}. {self.note}"
        if self._none_above_chance():
            return f"{of}: nothing is significantly above chance"
        if len(self.tied) == 1:
            return f"{of}: {self.best} is best"
        shown = ", ".join(self.tied[:NAMED])
        more = f" and {len(self.tied) - NAMED} more" if len(self.tied) > NAMED else ""
        return f"{of}: {len(self.tied)} may be best ({shown}{more})"

    def _none_above_chance(self) -> bool:
        tested = tested_p_values(self.facts)
        return bool(tested) and min(tested) > 0.05


def measure(
    X: Rows,  # noqa: N803 (as scikit-learn calls it)
    labels: Column | None,
    groups: Column | None = None,
    *,
    targets: Targets | None = None,
    label_groups: Column | Mapping[str, str] | None = None,
    metrics: Chosen | None = None,
    k: int = 90,
    metric: DistanceMetric = "euclidean",
    permutations: int = 1000,
    random_state: int = 0,
) -> Measures:
    """Measure what vectors keep of labels, against chance and with intervals.

    Args:
        X: (N, D), one sample per row.
        labels: (N,) of each sample; None or NaN where it has none. Without any, what needs no
            labels is measured.
        groups: (N,) what must not leak, such as the image or the patient that a sample is from:
            samples of one group do not vouch for each other. Every sample is its own by default.
        targets: properties of the samples of which it is measured how much the vectors keep, by
            neighbors and by ridge regression: values by name, a data frame, or names of columns
            of `X`. Two values are a yes or no, numbers continuous, all others categories. They are
            in `kept` of what is returned.
        label_groups: coarser classes: (N,), or the group of each label.
        metrics: which; all by default (`latentmap list metrics`).
        k: neighbors that are found of each sample; metrics look at fewer.
        metric: by which samples are compared.
        permutations: of the labels, for chance levels and p-values.
        random_state: seed of permutations and of an approximate search.

    Raises:
        LatentmapError: a value is not finite, lengths differ, or there is no such metric.

    Examples:
        >>> import numpy as np
        >>> import latentmap as lm
        >>> rng = np.random.default_rng(0)
        >>> labels = rng.choice(["cat", "dog"], 60)
        >>> X = rng.normal(size=(60, 5)) + 5 * (labels == "cat")[:, None]
        >>> found = lm.measure(X, labels, metrics=["knn_category"], permutations=200)
        >>> found["knn_category_acc"].value
        1.0
        >>> found["knn_category_acc"].p_value < 0.01
        True
    """
    named = list(targets) if isinstance(targets, Sequence) else []
    values = rows_of(X, without=[labels, groups, label_groups, *named])
    count = len(values)
    names = _no_names(count) if labels is None else names_of(labels, X, count, "labels")
    statistics = checked(StatisticsOptions, permutations=permutations, seed=random_state)
    search = checked(NeighborOptions, k=k, metric=metric, seed=random_state)
    of_source = groups_of(groups, X, count)
    data = labelled(
        values,
        names,
        _coarse(label_groups, names, X),
        of_source,
        graph_of(values, of_source, search),
        1,
        statistics,
        DensityOptions(),
        search,
    )
    measured, by_label = measure_by(_chosen(metrics), data)
    facts = describe(data, measured, by_label)
    kept = None if targets is None else _kept(targets, X, data)
    return Measures(facts, scores_of(data, measured), data.sources, statistics, kept)


def compare(
    embeddings: Mapping[str, Rows | Measures],
    labels: Column | None = None,
    groups: Column | None = None,
    *,
    headline: str = HEADLINE,
    **options: Any,
) -> Ranking:
    """Rank embeddings of the same samples, and say which differences are real.

    They are compared in pairs: what counts is how much more of the labels one keeps of the same
    samples, so that a difference can be sure though intervals overlap.

    Args:
        embeddings: by name, (N, D), or what `measure` returned of each.
        labels: as for `measure`.
        groups: as for `measure`.
        headline: the metric that ranks; where all samples share one group, its twin without
            `_grouped` does.
        options: the others of `measure`.

    Raises:
        LatentmapError: as for `measure`; or the embeddings are not of the same samples, or the
            metric cannot rank.

    Examples:
        >>> import numpy as np
        >>> import latentmap as lm
        >>> rng = np.random.default_rng(0)
        >>> labels = rng.choice(["cat", "dog"], 60)
        >>> seen = rng.normal(size=(60, 5)) + 3 * (labels == "cat")[:, None]
        >>> noise = rng.normal(size=(60, 5))
        >>> ranking = lm.compare({"seen": seen, "noise": noise}, labels, permutations=200)
        >>> ranking.best, ranking.tied
        ('seen', ['seen'])
    """
    if not isinstance(embeddings, Mapping):
        raise LatentmapError(
            'Embeddings are compared by name: give {"mine": X, "other": Y}, or measure(X, labels) '
            "for one."
        )
    if not embeddings:
        raise LatentmapError("There is nothing to compare: give embeddings by name.")
    measures = {
        name: one if isinstance(one, Measures) else _measured(name, one, labels, groups, options)
        for name, one in bar_of(embeddings.items(), "compare", len(embeddings))
    }
    first = next(iter(measures.values()))
    for name, one in measures.items():
        if not np.array_equal(one.groups, first.groups):
            raise LatentmapError(f"'{name}' is measured on other samples or groups than the first.")
    able = [name for name, column in known_metrics().items() if column.ranks]
    if not any(name in first.scores for name in headlines(headline)):
        raise LatentmapError(f"{cannot_rank(headline, [n for n in able if n in first.scores])}.")
    scored = [
        Scored(Key(*RANKED, name), p_values_of(one.facts["metrics"]), one.scores)
        for name, one in measures.items()
    ]
    found = ranked(scored, first.groups, headline, first.statistics)
    return Ranking(measures, found.describe(baselines=()))


def _name(row: Mapping[str, Any]) -> str:
    """Return what a ranking calls an embedding: of arrays its name, of a run its whole key."""
    key = (row["encoder"], row["variant"], row["method"])
    return str(row["method"]) if key[:2] == RANKED else " / ".join(key)


def _kept(targets: Targets, rows: Rows, data: LabelledEmbedding) -> pl.DataFrame:
    """Return one line per figure of each target, as a run has them."""
    import polars as pl
    import pyarrow as pa

    from latentmap.targets.domain import TargetedEmbedding
    from latentmap.targets.measure import measured, table_of
    from latentmap.targets.resolve import COLUMNS_FAMILY, Target, measurable, stored
    from latentmap.targets.values import read_values

    count = len(data.values)
    known = {name: name for name in targets} if isinstance(targets, Sequence) else targets
    found = []
    for name in known.columns if hasattr(known, "columns") else known:
        cells = cells_of(known[name], rows, count, f"targets['{name}']")
        read = read_values(cells, "auto")
        found.append(Target(name, name, COLUMNS_FAMILY, name, read, "targets", asked=True))
    found = list(measurable(found))
    table = pa.table({target.name: stored(target) for target in found})
    embedding = TargetedEmbedding(data.compact, data.sources, data.graph, data.statistics)
    told = [target.facts for target in found]
    each = {facts.name: one.figures for facts, _, one in measured(embedding, table, told)}
    kept = pl.from_arrow(table_of([figure for facts in told for figure in each[facts.name]]))
    assert isinstance(kept, pl.DataFrame)
    return kept


def _measured(
    name: str, rows: Rows, labels: Column | None, groups: Column | None, options: Mapping[str, Any]
) -> Measures:
    try:
        return measure(rows, labels, groups, **options)
    except LatentmapError as error:
        raise LatentmapError(f"{name}: {error}") from None


def _no_names(count: int) -> NDArray[np.str_]:
    return np.full(count, "", np.str_)


def _coarse(
    given: Column | Mapping[str, str] | None, labels: NDArray[np.str_], rows: Rows
) -> NDArray[np.str_]:
    """Return the coarser class of every sample; a label that none is given for is its own."""
    if given is None:
        return labels
    if isinstance(given, Mapping):
        groups = {str(label): group for label, group in given.items()}
        return np.array([groups.get(label, label) for label in labels.tolist()], np.str_)
    found = names_of(given, rows, len(labels), "label_groups")
    return np.where(labels == "", "", np.where(found == "", labels, found))


def _chosen(metrics: Chosen | None) -> list[Metric[Any]]:
    return [METRICS.made(one) for one in (METRICS.names() if metrics is None else metrics)]
