"""R-precision and MAP@R: whether a sample ranks those of its label before all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.agreement import NO_NEIGHBOR, WHERE, beside_chance
from latentmap.metrics.contributions import Contributions
from latentmap.metrics.metric import LabelledEmbedding, Measurement, Metric, share_column
from latentmap.metrics.permutation import Chance
from latentmap.metrics.retrieval import Retrieval, retrieve
from latentmap.metrics.retrieval_chance import PermutedLabels, in_random_order, retrieval_chances

NOTHING_TO_FIND = "No label occurs in two source groups."
MEANINGS = {
    "r_precision": (
        "R-precision",
        "share of the R nearest with the sample's label, R others of which have it",
    ),
    "map_at_r": (
        "MAP@R",
        "mean average precision at R, the number of others with the sample's label",
    ),
}


class RPrecisionOptions(Options):
    """Options of R-precision and MAP@R.

    Attributes:
        max_samples: of more samples than this, some are drawn at random.
        queries: how many are then drawn, each of which is compared with all samples.
        seed: of that draw.
    """

    max_samples: int = Field(default=30_000, ge=1)
    queries: int = Field(default=2000, ge=1)
    seed: int = 0


class RPrecision(Metric[RPrecisionOptions]):
    """R-precision and MAP@R (Musgrave et al. 2020, arXiv:2003.08505).

    For a sample whose label R others have, the R nearest of all others are looked at, so that a
    label of three samples can be found as completely as one of hundreds. R-precision is the share
    of them that have its label; MAP@R counts those that are nearer more. Exact distances, ties by
    row number. Samples that are alone with their label are no queries.
    """

    Options = RPrecisionOptions
    columns: ClassVar = {
        f"{name}{suffix}": share_column(f"{meaning}{where}", f"{title}{across}", ranks=True)
        for suffix, (across, where) in WHERE.items()
        for name, (title, meaning) in MEANINGS.items()
    }

    def measure(self, data: LabelledEmbedding) -> dict[str, Measurement]:
        """Measure among all other samples, and among those of other source groups."""
        if data.obstacle:
            return self.undefined(data.obstacle)
        groups = int(data.sources.max()) + 1
        are_apart = groups == len(data.codes)
        permuted = PermutedLabels.of(data)
        lists = retrieve(
            data,
            self._queries(data),
            grouped=groups > 1 and not are_apart,
            depth=permuted.depth if permuted else 0,
        )
        values = [
            _measured(
                data,
                found,
                retrieval_chances(data, found, permuted)
                if permuted
                else _in_random_order(data, found),
            )
            for found in lists
            if found.relevant.any()
        ]
        # Where every sample is a source group, all others are of other groups.
        values = values * 2 if are_apart else values
        found = self.undefined(NO_NEIGHBOR if groups == 1 else NOTHING_TO_FIND)
        for suffix, pair in zip(("", "_grouped"), values, strict=False):
            names = (f"{name}{suffix}" for name in MEANINGS)
            found |= dict(zip(names, pair, strict=True))
        return found

    def _queries(self, data: LabelledEmbedding) -> NDArray[np.intp]:
        count = len(data.codes)
        if count <= self.options.max_samples:
            return np.arange(count)
        rng = np.random.default_rng(self.options.seed)
        return np.sort(rng.choice(count, min(self.options.queries, count), replace=False))


def _in_random_order(data: LabelledEmbedding, found: Retrieval) -> Sequence[float | None]:
    """Return what to expect of rankings in random order, unless groups put them in another."""
    ranks_own_group = len(np.unique(found.groups)) > len(np.unique(data.sources))
    if ranks_own_group:
        return None, None
    means: list[float] = in_random_order(found.relevant[found.queries], found.ranked).tolist()
    return means


def _measured(
    data: LabelledEmbedding, found: Retrieval, chances: Sequence[Chance | float | None]
) -> list[Measurement]:
    """Return R-precision and MAP@R beside what to expect of them."""
    count, asked = len(data.codes), int((found.relevant > 0).sum())
    said = None if asked == count else f"Of {asked:,} of {count:,} samples as queries."
    without = found.without_groups(data.sources)
    measured = []
    for place, (value, chance) in enumerate(zip(found.values.tolist(), chances, strict=True)):
        if isinstance(chance, Chance):
            one = beside_chance(value, chance)
        else:
            one = Measurement(value, chance=chance)
        note = " ".join(filter(None, (said, one.note)))
        parts = Contributions(value, without[place], data.sources)
        measured.append(replace(one, note=note or None, contributions=parts))
    return measured
