"""The embeddings of a run, best first, and what an explorer says of each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.explorer.columns import number
from latentmap.explorer.neighbors import Nearest, read_nearest
from latentmap.explorer.site import NUMBER
from latentmap.explorer.targets import add_residuals
from latentmap.explorer.work import Work
from latentmap.metrics.metric import title_of
from latentmap.pool.method import METHODS
from latentmap.store.results import (
    METRICS,
    NEIGHBORS,
    OUTLIERS,
    RANKING,
    SAMPLING_WEIGHTS,
    Key,
    Results,
)

COLUMNS = {
    "density": (
        "local density",
        "Inverse mean distance to the nearest neighbors in the embedding: low is rare.",
    ),
    "purity": (
        "neighbors with its label (k = {k})",
        "Share of the {k} nearest neighbors in the embedding that have the sample's label, among "
        "samples of other source groups.",
    ),
    "nearest_other": (
        "distance to the nearest sample of another source group",
        "Distance in the embedding to the nearest sample of another source group: 0 is a "
        "duplicate.",
    ),
    "centroid_distance": (
        "distance to the centre of its label",
        "Distance in the embedding to the mean of the other samples of the same label.",
    ),
    "prototype_distance": (
        "distance to the nearest prototype of its label",
        "Distance in the embedding to the nearest of several centres of the label's samples.",
    ),
    "prototype_margin": (
        "margin to the prototypes of other labels",
        "How much farther the nearest prototype of another label is: negative where that is "
        "nearer.",
    ),
    "neighbor_disagreement": (
        "neighbors with another label (k = {k})",
        "Share of the {k} nearest labelled neighbors in the embedding with another label, among "
        "samples of other source groups.",
    ),
}
"""Titles and descriptions of the columns of a method; `{k}` neighbors are asked."""

SCORES = ["centroid_distance", "prototype_distance", "prototype_margin", "neighbor_disagreement"]
"""The outlier scores among them."""


def ranking_metric(results: Results) -> dict[str, str] | None:
    """Return name and title of the metric that ranks methods; None if none does."""
    ranking = results.read(RANKING)
    if not ranking["scopes"][0]["ranking"]:
        return None
    return {"name": ranking["metric"], "title": title_of(ranking["metric"])}


def described_methods(results: Results) -> dict[Key, dict[str, Any]]:
    """Return what is said of every embedding by its key, best first, then those without a rank."""
    ranking = results.read(RANKING)
    metric = ranking["metric"]
    rows: dict[Key, dict[str, Any]] = {
        (row["encoder"], row["variant"], row["method"]): {**row, "rank": place}
        for place, row in enumerate(ranking["scopes"][0]["ranking"], start=1)
    }
    order = sorted(results.methods, key=lambda key: rows.get(key, {}).get("rank", len(rows) + 1))
    return {key: _described(results, key, metric, rows.get(key, {})) for key in order}


def _described(results: Results, key: Key, metric: str, row: Mapping[str, Any]) -> dict[str, Any]:
    encoder, variant, method = key
    measured = results.read(METRICS, *key)["metrics"]
    dims = measured.get("n_dimensions", {}).get("value")
    return {
        "id": "/".join(key),
        "encoder": encoder,
        "variant": variant,
        "method": method,
        "dims": None if dims is None else int(dims),
        "baseline": encoder in results.baselines,
        "rank": row.get("rank"),
        "may_be_best": row.get("may_be_best"),
        "value": row.get("value"),
        "interval": row.get("interval"),
        "chance": measured.get(metric, {}).get("chance"),
    }


def write_methods(work: Work, methods: Mapping[Key, dict[str, Any]], lists: int) -> None:
    """Write columns of the methods that have maps, and the neighbors in the best ones.

    Args:
        work: the explorer.
        methods: what the manifest says of each, which is added to.
        lists: number of methods to write neighbors of; those with maps come first.
    """
    mapped = set(work.results.mapped)
    listed = set(islice(sorted(methods, key=lambda key: key not in mapped), lists))
    for key, method in methods.items():
        method |= {"maps": [], "columns": {}, "neighbors": None, "account": None}
        if key in mapped | listed:
            nearest = read_nearest(work.results.path(NEIGHBORS, *key), work.everyone.ids)
            if key[:2] in work.results.inspected and nearest.metric == "euclidean":
                method["account"] = METHODS[key[2]].account()
            if key in listed:
                method["neighbors"] = _write_neighbors(work, nearest, method["id"])
            if key in mapped:
                method["columns"] = _write_columns(work, nearest, key, method["id"])


def _write_neighbors(work: Work, nearest: Nearest, method: str) -> dict[str, Any]:
    chunks = nearest.chunks(work.everyone.groups)
    return {
        **work.site.write_chunks(f"neighbors/{method}/{NUMBER}.arrow", chunks),
        "k": nearest.rows.shape[1],
        "metric": nearest.metric,
    }


def _write_columns(work: Work, nearest: Nearest, key: Key, method: str) -> dict[str, str]:
    """Write what a method says of each sample; return the ids of the columns by their names."""
    far = nearest.distance_elsewhere
    found: dict[str, NDArray[Any]] = {
        **work.numbers(SAMPLING_WEIGHTS, key, ["density"]),
        "purity": nearest.purity(work.everyone.labels),
        "nearest_other": np.where(np.isfinite(far), far, np.nan),
    }
    if key in work.results.keys(OUTLIERS):
        found |= work.numbers(OUTLIERS, key, SCORES)
    asked = {"purity": nearest.rows.shape[1]}
    asked["neighbor_disagreement"] = work.results.option("outliers.k")
    columns = {
        name: work.columns.add(
            f"{name}::{method}", number(values), *_told(name, asked), about="method", of=method
        )
        for name, values in found.items()
        if not np.isnan(values).all()
    }
    return {**columns, **dict(add_residuals(work, key, method))}


def _told(name: str, asked: Mapping[str, int]) -> tuple[str, str]:
    """Return title and description of a column, with how many neighbors are asked for it."""
    title, description = (text.format(k=asked.get(name)) for text in COLUMNS[name])
    return title, description
