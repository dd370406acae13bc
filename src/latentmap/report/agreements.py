"""How far the pooling methods of one encoder and variant agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentmap.report.experiments import Experiment, is_ranked, ranked
from latentmap.store.files import read_json, reading

AGREEMENT = "a file of agreement"


@dataclass(frozen=True)
class AgreementTable:
    """The similarity of every pair of M methods.

    Attributes:
        methods: M names.
        values: (M, M), from 0 to 1; NaN where it is not defined.
        chance: (M, M) mean with permuted samples.
        limit: (M, M) what 95 % of the permutations stay below.
    """

    methods: Sequence[str]
    values: Sequence[Sequence[float]]
    chance: Sequence[Sequence[float]]
    limit: Sequence[Sequence[float]]


@dataclass(frozen=True)
class MethodAgreement:
    """How far methods agree, in several ways.

    Attributes:
        tables: by name, `jaccard` and `cka` first, then one for each kind of map.
        duplicates: sets of methods whose embeddings are the same up to rotation and scale.
        samples: how many samples were compared.
        of: how many there are.
        recall: the lowest of the approximate neighbors compared; None if all are exact.
    """

    tables: Mapping[str, AgreementTable]
    duplicates: Sequence[Sequence[str]]
    samples: int
    of: int
    recall: float | None = None


def read_agreement(embeddings: Path | str, maps: Path | str) -> MethodAgreement:
    """Read the agreement of embeddings and that of their maps.

    Raises:
        LatentmapError: a file is damaged.
    """
    with reading(embeddings, AGREEMENT):
        content = read_json(embeddings)
        tables = {name: _table(content["tables"][name]) for name in ("jaccard", "cka")}
        duplicates, samples, of = (content[key] for key in ("duplicates", "samples", "of"))
        recall = content.get("recall")
    with reading(maps, AGREEMENT):
        tables |= {name: _table(table) for name, table in read_json(maps)["tables"].items()}
    return MethodAgreement(tables, duplicates, samples, of, recall)


def read_duplicates(embeddings: Path | str) -> list[list[str]]:
    """Read the sets of methods whose embeddings are the same.

    Raises:
        LatentmapError: the file is damaged.
    """
    with reading(embeddings, AGREEMENT):
        found: list[list[str]] = read_json(embeddings)["duplicates"]
    return found


def in_order(
    experiments: Sequence[Experiment], agreements: Mapping[tuple[str, str], Path | str]
) -> list[Experiment]:
    """Return experiments best first.

    Where no metric ranks them, as without labels, none is best: each encoder and variant has first
    the method whose neighbors agree most with those of the others, by the mean Jaccard index.

    Args:
        experiments: of several methods.
        agreements: files of how far methods agree, by (encoder, variant).

    Raises:
        LatentmapError: a file is damaged.
    """
    if is_ranked(experiments):
        return ranked(experiments)
    shared = {place: _agreeing(path) for place, path in agreements.items()}

    def rank(experiment: Experiment) -> tuple[str, str, float, str]:
        encoder, variant, method = experiment.key
        return encoder, variant, -shared[encoder, variant][method], method

    return sorted(experiments, key=rank)


def _agreeing(path: Path | str) -> dict[str, float]:
    """Return the mean Jaccard index of each method's neighbors with those of all methods."""
    with reading(path, AGREEMENT):
        table = _table(read_json(path)["tables"]["jaccard"])
    return {
        method: sum(row) / len(row) for method, row in zip(table.methods, table.values, strict=True)
    }


def _table(content: Mapping[str, Any]) -> AgreementTable:
    numbers = (
        [[math.nan if cell is None else float(cell) for cell in row] for row in content[name]]
        for name in ("values", "chance", "limit")
    )
    return AgreementTable(content["methods"], *numbers)
