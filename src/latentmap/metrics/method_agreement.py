"""Agreement of pooling methods of one encoder: which see alike, and which are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentmap.config import Options
from latentmap.metrics.similarity import (
    Matrix,
    Similarity,
    gram,
    group_order,
    group_permutations,
    linear_cka,
    neighbor_jaccard,
    procrustes,
)
from latentmap.neighbors.graph import nearest, read_compact, read_graph_of
from latentmap.store.files import write_json
from latentmap.store.maps import read_map
from latentmap.store.samples import read_samples

# Float32 distances and products of the same values in another order differ by less.
SAME_CKA = 0.9999
SAME_JACCARD = 0.995

MethodPaths = Mapping[str, Path | str]


class AgreementOptions(Options):
    """Options of the agreement between methods.

    Attributes:
        k: nearest neighbors of each sample that are compared.
        max_samples: of more samples, so many are compared, whole source groups drawn at random.
        permutations: of the samples, for the chance levels: each is drawn once and applied to both
            embeddings of a pair, one after the other, so that half as many are drawn.
        seed: of the permutations and of that draw.
    """

    k: int = Field(default=10, ge=1)
    max_samples: int = Field(default=750, ge=2)
    permutations: int = Field(default=200, ge=1)
    seed: int = 0


AS_ALWAYS = AgreementOptions()
"""No configuration says otherwise."""


def compare_embeddings(
    embeddings: MethodPaths,
    neighbors: MethodPaths,
    samples: Iterable[Path | str],
    output: Path | str,
    options: AgreementOptions = AS_ALWAYS,
) -> None:
    """Compare the embeddings of several methods with each other.

    Args:
        embeddings: Parquet file of each method's embedding.
        neighbors: Parquet file of each method's neighbor graph.
        samples: the shards of samples, in the manifest's order.
        output: JSON file: `samples` compared and their number `of`; `tables` with the mean
            Jaccard index of the k nearest neighbors of other source groups (of all, where there
            is one group) and the linear CKA, each with its `methods`, `values`, `chance` and
            `limit` as nested lists; `recall`, the lowest of the approximate neighbors, null if all
            are exact; `duplicates`, lists of methods whose embeddings are the same
            up to rotation, shift and scale.
        options: of the comparison.

    Raises:
        LatentmapError: the rows of a file are not the samples, or hold too few neighbors.
    """
    ids, groups = _read_groups(samples)
    rng = np.random.default_rng(options.seed)
    rows = _drawn(groups, options.max_samples, rng)
    lists, grams, recalls = [], [], []
    for method, path in embeddings.items():
        graph = read_graph_of(path, neighbors[method], ids)
        lists.append(nearest(graph.grouped if groups.any() else graph.every, options.k).indices)
        values = read_compact(path, graph)
        grams.append(gram(values if len(rows) == len(ids) else values[rows]))
        if graph.audit is not None:
            recalls.append(graph.audit.recall)
    draws = -(-options.permutations // 2), options.seed
    jaccard = neighbor_jaccard(lists, rows, group_permutations(groups, *draws))
    here = np.unique(groups[rows], return_inverse=True)[1]
    cka = linear_cka(grams, group_permutations(here, *draws))
    methods = list(embeddings)
    # Two samples are at some distance in every embedding, which is all that could be the same.
    found = duplicates(methods, jaccard.values, cka.values) if len(ids) > 2 else []
    write_json(
        output,
        {
            "samples": len(rows),
            "of": len(ids),
            "tables": {"jaccard": _table(methods, jaccard), "cka": _table(methods, cka)},
            "recall": min(recalls, default=None),
            "duplicates": found,
        },
    )


def compare_maps(
    keys: Sequence[tuple[str, str]],
    maps: Sequence[Path | str],
    samples: Iterable[Path | str],
    output: Path | str,
    options: AgreementOptions = AS_ALWAYS,
) -> None:
    """Compare the maps of several methods with each other, one kind of map after the other.

    Args:
        keys: (method, projection) of each map.
        maps: their Parquet files, in the same order.
        samples: the shards of samples, in the manifest's order.
        output: JSON file as of `compare_embeddings`, with a table of Procrustes similarity for each
            projection.
        options: of the comparison.

    Raises:
        LatentmapError: the rows of a map are not the samples.
    """
    ids, groups = _read_groups(samples)
    rng = np.random.default_rng(options.seed)
    rows = _drawn(groups, options.max_samples, rng)
    here = np.unique(groups[rows], return_inverse=True)[1]
    permutations = group_permutations(here, -(-options.permutations // 2), options.seed)
    tables = {}
    for projection in dict.fromkeys(projection for _, projection in keys):
        paths = {m: path for (m, p), path in zip(keys, maps, strict=True) if p == projection}
        places = [read_map(path, ids).coordinates[rows] for path in paths.values()]
        tables[projection] = _table(list(paths), procrustes(places, permutations))
    write_json(output, {"samples": len(rows), "of": len(ids), "tables": tables})


def duplicates(methods: Sequence[str], jaccard: Matrix, cka: Matrix) -> list[list[str]]:
    """Return the sets of methods whose embeddings are the same up to rotation, shift and scale.

    Args:
        methods: M names.
        jaccard: (M, M) mean Jaccard index of their neighbors.
        cka: (M, M) linear CKA; NaN where it is not defined.
    """
    same = (jaccard > SAME_JACCARD) & (cka > SAME_CKA)
    # The first method that a method is the same as stands for its set.
    first = [int(np.append(np.flatnonzero(row), place)[0]) for place, row in enumerate(same)]
    sets = [[m for m, f in zip(methods, first, strict=True) if f == one] for one in set(first)]
    return sorted(found for found in sets if len(found) > 1)


def _read_groups(samples: Iterable[Path | str]) -> tuple[list[str], NDArray[np.intp]]:
    table = read_samples(samples, ["id", "source_group"])
    groups = np.array(table["source_group"].to_pylist(), np.str_)
    return table["id"].to_pylist(), np.unique(groups, return_inverse=True)[1]


def _drawn(groups: NDArray[np.intp], limit: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the rows of all source groups, or of random ones up to the limit."""
    return np.sort(group_order(groups, rng)[:limit])


def _table(methods: list[str], found: Similarity) -> dict[str, Any]:
    """Return a table as plain values of five digits: more would vary with the number of threads."""
    numbers = {name: np.round(values, 5).tolist() for name, values in vars(found).items()}
    return {"methods": methods, **numbers}
