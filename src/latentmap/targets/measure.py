"""How much of every target one embedding keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.metrics.agreement import NO_NEIGHBOR
from latentmap.metrics.features import PRECISE_ROWS
from latentmap.metrics.inference import StatisticsOptions, interval_of, jackknife, too_few
from latentmap.metrics.permutation import FEWEST_AS_HIGH, SameClassShares, chance_of
from latentmap.metrics.probes import occurs_elsewhere
from latentmap.neighbors.graph import read_compact, read_graph
from latentmap.store.samples import read_samples
from latentmap.store.tables import (
    check_ids,
    known_numbers,
    number_lists,
    numbers,
    read_parquet,
    strings,
    write_parquet,
)
from latentmap.targets.domain import Domain, TargetedEmbedding
from latentmap.targets.facts import TargetFacts, read_facts
from latentmap.targets.figures import FIGURES, Floats, Numbers
from latentmap.targets.ridge import FOLDS, Fitted
from latentmap.targets.scales import Amounts, Angles, Codes, Names, Scale, Without, joined

PERMUTATIONS = 200
"""At most: of each all targets are predicted anew."""
# Of more samples, so many are looked at, of whole source groups.
MOST_SAMPLES = 2**14
# Of many samples there are fewer, so that a table of one target's orders has so many cells, and of
# many names, each of which is predicted, so that there are so many predictions of a sample;
CELLS = 2**24
COLUMNS = 800
# but so many at least, with which p-values of 0.025 are possible.
FEWEST_PERMUTATIONS = 39
# After so many it is looked whether more are needed.
TOGETHER = 50
# Figures without parts of the source groups that differ by less are the same.
ROUNDING = 1e-9
# Names of which each is predicted: the most frequent ones.
MOST_NAMES = 50
BY_NEIGHBORS = " by neighbors"
"""Ends the names of what neighbors predict."""


@dataclass(frozen=True)
class Found:
    """One figure of one target.

    Attributes:
        target: its name.
        metric: the figure's name.
        samples: for which the target is defined.
        value: NaN where it is not defined.
        chance: its mean over permutations.
        interval: 95 %, where there is one.
        p_value: by permutation, where there is one.
        draws: (permutations,) the figure in each.
        without: (parts,) the figure without each part of the source groups.
        note: why something is missing, or what else to say.
    """

    target: str
    metric: str
    samples: int
    value: float = np.nan
    chance: float = np.nan
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    draws: Numbers = field(default_factory=lambda: np.empty(0))
    without: Numbers = field(default_factory=lambda: np.empty(0))
    note: str | None = None

    def kept(self, value: float) -> float | None:
        """Return how far a value is from chance to the best possible one."""
        if not np.isfinite([value, self.chance]).all() or self.chance >= 1:
            return None
        return (value - self.chance) / (1 - self.chance)


@dataclass(frozen=True)
class Measured:
    """What is found of one target.

    Attributes:
        figures: of it.
        predictions: (n,) of its samples by what predicts them, as values of the target.
    """

    figures: Sequence[Found]
    predictions: Mapping[str, Numbers]


def measure_targets(
    embedding: Path | str,
    neighbors: Path | str,
    samples: Iterable[Path | str],
    targets: Path | str,
    facts: Path | str,
    statistics: StatisticsOptions,
    kept: Path | str,
    draws: Path | str,
    predictions: Path | str,
) -> None:
    """Read one embedding with its neighbors and the targets, and write what it keeps of them.

    Args:
        embedding: Parquet file of the embedding.
        neighbors: Parquet file of its neighbor graph.
        samples: the shards of samples, in the manifest's order.
        targets: Parquet file of the targets' values.
        facts: JSON file of what is known of the targets.
        statistics: how chance and uncertainty are estimated.
        kept: Parquet file with a row for every figure of every target: `target`, `metric`, `value`,
            `chance`, `low`, `high`, `p`, `samples`, `kept`, `kept_low`, `kept_high` and `note`.
        draws: Parquet file of the same rows: the figure in each permutation (`draws`), and without
            each part of the source groups (`without`).
        predictions: Parquet file of id and, of every target that has numbers, what is predicted of
            each sample by ridge regression (the target's name) and by neighbors (the same and
            `BY_NEIGHBORS`); null where it is not defined.

    Raises:
        LatentmapError: the rows of a file are not the samples.
    """
    table = read_samples(samples, ["id", "source_group"])
    ids = table["id"].to_pylist()
    graph = read_graph(neighbors)
    check_ids(neighbors, graph.ids, ids)
    values = read_parquet(targets)
    check_ids(targets, values["id"].to_pylist(), ids)
    sources = np.unique(np.array(table["source_group"].to_pylist(), np.str_), return_inverse=True)
    data = TargetedEmbedding(read_compact(embedding, graph), sources[1], graph, statistics)
    columns = {"id": strings(ids)}
    told = read_facts(facts)
    of_target: dict[str, Measured] = {}
    for one, rows, found in measured(data, values, told):
        of_target[one.name] = found
        for name, predicted in found.predictions.items():
            whole = np.full(len(ids), np.nan)
            whole[rows] = predicted
            columns[one.name + name] = known_numbers(whole)
    figures = [figure for one in told for figure in of_target[one.name].figures]
    write_parquet(kept, table_of(figures))
    write_parquet(draws, _draws(figures))
    write_parquet(predictions, pa.table(columns))


def measured(
    data: TargetedEmbedding, values: pa.Table, facts: Sequence[TargetFacts]
) -> Iterator[tuple[TargetFacts, NDArray[np.intp], Measured]]:
    """Yield every target, the samples for which it is defined, and what is found of it.

    Those that are defined for the same samples follow each other, so that what predicts them is
    kept no longer than it is needed.

    Args:
        data: the embedding.
        values: (N) the targets' values.
        facts: what is known of the targets.
    """
    # pyarrow's own way to NumPy imports pandas, which takes as long as some of the figures.
    columns = {one.name: np.array(values[one.name].to_pylist(), np.object_) for one in facts}
    defined: dict[bytes, list[TargetFacts]] = {}
    for one in facts:
        rows = np.array([value is not None for value in columns[one.name]])
        defined.setdefault(rows.tobytes(), []).append(one)
    for mask, targets in defined.items():
        defined_for = np.flatnonzero(np.frombuffer(mask, np.bool_))
        chosen = some_groups(data.sources[defined_for], MOST_SAMPLES, data.statistics.seed)
        rows = defined_for[chosen]
        domain = data.over(rows)
        for one in targets:
            found = np.array(columns[one.name][rows].tolist())
            levels, codes = np.unique(found, return_inverse=True)
            yield one, rows, TargetOn(domain, one, levels, codes).measured()


def some_groups(sources: NDArray[np.intp], most: int, seed: int) -> NDArray[np.intp]:
    """Return the places of at most so many samples, of whole source groups drawn at random.

    Args:
        sources: (n,) number of each sample's source group.
        most: samples.
        seed: of the draw.
    """
    groups = np.unique(sources, return_inverse=True)[1]
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    # A large group must not take the place of all others.
    order = order[np.argsort(sizes[order] > most // FOLDS, kind="stable")]
    fits = np.empty(len(sizes), np.bool_)
    fits[order] = np.cumsum(sizes[order]) <= most
    return np.flatnonzero(fits[groups]) if fits.any() else np.arange(most)


@dataclass(frozen=True)
class TargetOn:
    """One target on the samples for which it is defined.

    Attributes:
        domain: these samples.
        facts: what is known of the target.
        levels: its values, ascending.
        codes: (n,) place of each sample's value among them.
    """

    domain: Domain
    facts: TargetFacts
    levels: NDArray[np.generic]
    codes: NDArray[np.intp]

    def measured(self) -> Measured:
        """Return all figures, and what is predicted."""
        names = [name for name, one in FIGURES.items() if self.facts.kind in one.kinds]
        if self.domain.group_count < 2:
            return Measured([self._undefined(name, NO_NEIGHBOR) for name in names], {})
        scale = self._scale()
        if scale is None:
            why = "Fewer than two values occur in two source groups."
            return Measured([self._undefined(name, why) for name in names], {})
        found, predictions = self._as_they_are(scale)
        drawn = self._permuted(scale, found)
        without = self._without(scale)
        figures = [
            self._beside_chance(name, found[name], drawn[name], without.get(name)) for name in names
        ]
        return Measured(figures, predictions)

    def _scale(self) -> Scale | None:
        """Return how values are predicted; None if nothing can be."""
        if self.facts.kind == "continuous":
            values = self.levels.astype(np.float64)
            all_values = values[self.codes]
            return Amounts(values, float(all_values.mean()), float(all_values.std()))
        if self.facts.kind == "circular":
            return Angles(self.levels.astype(np.float64))
        testable = occurs_elsewhere(self.codes, self.domain.groups, len(self.levels))
        sizes = np.where(testable, np.bincount(self.codes, minlength=len(self.levels)), 0)
        frequent = np.sort(np.argsort(-sizes, kind="stable")[: min(MOST_NAMES, testable.sum())])
        if len(frequent) < 2:
            return None
        chosen = np.full(len(self.levels), -1)
        chosen[frequent] = np.arange(len(frequent))
        return Names(chosen, self.facts.kind)

    def _as_they_are(self, scale: Scale) -> tuple[dict[str, float], dict[str, Numbers]]:
        """Return the figures of the values as they are, and what is predicted."""
        codes = self.codes[:, np.newaxis]
        figures, predicted = self._predicted(scale, codes, self._precision)
        shown = {"": predicted["ridge"], BY_NEIGHBORS: predicted["knn"]}
        values = {name: scale.shown(one) for name, one in shown.items()}
        found = {name: float(one[0]) for name, one in figures.items()}
        return found, {name: one for name, one in values.items() if one is not None}

    @property
    def _precision(self) -> type[np.floating]:
        """Of few samples double, of many that of their features."""
        return np.float64 if len(self.codes) <= PRECISE_ROWS else np.float32

    def _permuted(self, scale: Scale, found: Mapping[str, float]) -> dict[str, Numbers]:
        """Return the figures in every permutation.

        They stop where so many give as high figures as were found that no p-value can be small; a
        test that stops early keeps its size (Besag and Clifford 1991, doi:10.1093/biomet/78.2.301).
        """
        options, count = self.domain.data.statistics, len(self.codes)
        most = min(PERMUTATIONS, CELLS // count, COLUMNS // scale.width)
        permutations = min(options.permutations, max(FEWEST_PERMUTATIONS, most))
        exchange = self.domain.exchange(self.codes)
        width = max(1, min(TOGETHER, CELLS // (count * scale.width)))
        draws = {name: np.empty(0) for name in found}
        for table in exchange.permuted(permutations, options.seed):
            for start in range(0, table.shape[1], width):
                some = self._predicted(scale, table[:, start : start + width], np.float32)[0]
                draws = {name: np.append(draws[name], values) for name, values in some.items()}
                as_high = [np.count_nonzero(draws[name] >= found[name]) for name in draws]
                if min(map(len, draws.values())) >= TOGETHER and min(as_high) >= FEWEST_AS_HIGH:
                    return draws
        return draws

    def _predicted(
        self, scale: Scale, codes: Codes, dtype: type[np.floating]
    ) -> tuple[dict[str, Numbers], dict[str, Floats]]:
        """Return all figures of (n, m) values, (m,) by name, and what predicts them."""
        shape = (len(codes), codes.shape[1], scale.width)
        columns = scale.columns(codes, dtype)
        fitted = self.domain.ridge.fit(columns, scale.width, scale.weights(codes))
        means = columns.mean(axis=0, dtype=np.float64).astype(dtype)
        has_neighbor = (self.domain.neighbors.counts > 0)[:, np.newaxis]
        predicted = {
            "knn": self.domain.neighbors.of(columns).reshape(shape),
            "ridge": fitted.predicted.reshape(shape),
        }
        shares = {
            "knn": means.reshape(1, *shape[1:]),
            "ridge": fitted.means[self.domain.ridge.folds].reshape(shape),
        }
        tested = {"knn": has_neighbor, "ridge": np.ones_like(has_neighbor)}
        found = {
            f"{by}_{name}": values
            for by in predicted
            for name, values in scale.figures(codes, predicted[by], shares[by], tested[by]).items()
        }
        if isinstance(scale, Names):
            exchange = self.domain.exchange(self.codes)
            same = SameClassShares(exchange, self.domain.neighbor_list)
            found["knn_same"] = same.means(codes)[0][0]
        return found, predicted

    def _without(self, scale: Scale) -> dict[str, Numbers]:
        """Return the figures without each part of the source groups, none where these are few."""
        parts = self.domain.parts
        if not parts:
            return {}
        codes = self.codes[:, np.newaxis]
        columns = scale.columns(codes, self._precision)
        fitted = self.domain.ridge.fit(columns, scale.width, scale.weights(codes))
        some = max(1, CELLS // (len(codes) * scale.width))
        found: dict[str, list[Without]] = {"knn": [], "ridge": []}
        for start in range(0, len(parts), some):
            here = np.arange(start, min(start + some, len(parts)))
            found["knn"].append(self._neighbors_without(scale, columns, here))
            found["ridge"].append(self._ridge_without(scale, columns, fitted, here))
        figures = {
            f"{by}_{name}": values
            for by, some_of in found.items()
            for name, values in joined(some_of).items()
        }
        if isinstance(scale, Names):
            figures["knn_same"] = self._same_without(self.domain.part_of, len(parts))
        return figures

    def _neighbors_without(self, scale: Scale, columns: Floats, here: NDArray[np.intp]) -> Without:
        """Return the figures of neighbors without some of the parts."""
        part_of = self.domain.part_of - here[0]
        means, left = self.domain.neighbors.without(columns, part_of, len(here))
        gone = part_of[:, np.newaxis] == np.arange(len(here))
        sums = np.stack([columns[one].sum(axis=0) for one in gone.T])
        shares = (columns.sum(axis=0) - sums) / (~gone).sum(axis=0)[:, np.newaxis]
        whole = self.domain.neighbors.of(columns)[:, np.newaxis]
        tested = ~gone & (left > 0)
        return scale.without(self.codes[:, np.newaxis], means, whole, shares[np.newaxis], tested)

    def _ridge_without(
        self, scale: Scale, columns: Floats, fitted: Fitted, here: NDArray[np.intp]
    ) -> Without:
        """Return the figures of ridge regression without some of the parts."""
        ridge = self.domain.ridge
        predicted = ridge.without(columns, fitted, self.domain.parts, here)
        outside = self.domain.part_of[:, np.newaxis] != here
        shares = fitted.means[ridge.folds][:, np.newaxis]
        whole = fitted.predicted[:, np.newaxis]
        return scale.without(self.codes[:, np.newaxis], predicted, whole, shares, outside)

    def _same_without(self, part_of: NDArray[np.intp], parts: int) -> Numbers:
        """Return the share of neighbors with the same value without each part, (parts,)."""
        indices = self.domain.neighbor_list.indices
        same = (self.codes[indices] == self.codes[:, np.newaxis]) & (indices >= 0)
        cells = np.arange(len(indices))[:, np.newaxis] * parts + part_of[indices]
        size = len(indices) * parts
        gone, hits = (
            np.bincount(cells[which], minlength=size).reshape(-1, parts)
            for which in (indices >= 0, same)
        )
        left = self.domain.neighbors.counts[:, np.newaxis] - gone
        shares = (same.sum(axis=1)[:, np.newaxis] - hits) / np.maximum(left, 1)
        tested = (left > 0) & (part_of[:, np.newaxis] != np.arange(parts))
        total: Numbers = np.where(tested, shares, 0).sum(axis=0) / tested.sum(axis=0)
        return total

    def _beside_chance(
        self, name: str, value: float, draws: Numbers, without: Numbers | None
    ) -> Found:
        """Return one figure with its chance, p-value and interval."""
        if not np.isfinite(value) or not np.isfinite(draws).any():
            return self._undefined(name, "The prediction is the same for all samples.")
        known = draws[np.isfinite(draws)]
        chance, interval, notes = chance_of(value, known), None, []
        if chance.note:
            notes.append(chance.note)
        if without is None:
            notes.append(f"No interval: {too_few(self.domain.group_count)}.")
        elif np.isfinite(without).all():
            apart = without - without.mean()
            changes = np.where(np.abs(apart) > ROUNDING, apart, 0.0)
            low, high = interval_of(value, jackknife(changes), FIGURES[name].bounds)
            interval = low, min(high, 1.0)
        audit = self.domain.data.graph.audit
        if audit is not None and FIGURES[name].smoother == "knn":
            notes.append(f"From {audit.note}")
        return Found(
            self.facts.name,
            name,
            len(self.codes),
            value,
            chance.mean,
            interval,
            chance.p_value,
            draws,
            np.empty(0) if without is None else without,
            " ".join(notes) or None,
        )

    def _undefined(self, name: str, why: str) -> Found:
        return Found(self.facts.name, name, len(self.codes), note=why)


def table_of(figures: Sequence[Found]) -> pa.Table:
    """Return a row for every figure, as `measure_targets` writes them."""
    ends = [one.interval or (np.nan, np.nan) for one in figures]
    return pa.table(
        {
            "target": strings([one.target for one in figures]),
            "metric": strings([one.metric for one in figures]),
            "value": _known(one.value for one in figures),
            "chance": _known(one.chance for one in figures),
            "low": _known(low for low, _ in ends),
            "high": _known(high for _, high in ends),
            "p": _present(one.p_value for one in figures),
            "samples": numbers(np.array([one.samples for one in figures], np.int64)),
            "kept": _present(one.kept(one.value) for one in figures),
            "kept_low": _kept(figures, [low for low, _ in ends]),
            "kept_high": _kept(figures, [high for _, high in ends]),
            "note": strings([one.note for one in figures]),
        }
    )


def _known(values: Iterable[float]) -> pa.Array:
    """Return nine digits, more would vary with the number of threads; null for NaN."""
    return _present(float(f"{value:.9g}") if np.isfinite(value) else None for value in values)


def _present(values: Iterable[float | None]) -> pa.Array:
    return known_numbers(np.array([np.nan if value is None else value for value in values]))


def _kept(figures: Sequence[Found], values: Sequence[float]) -> pa.Array:
    return _present(one.kept(value) for one, value in zip(figures, values, strict=True))


def _draws(figures: Sequence[Found]) -> pa.Table:
    return pa.table(
        {
            "target": strings([one.target for one in figures]),
            "metric": strings([one.metric for one in figures]),
            "draws": number_lists([one.draws for one in figures], np.float32),
            "without": number_lists([one.without for one in figures], np.float64),
        }
    )
