"""The embeddings of a run, best first, and what an explorer says of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from latentmap.metrics.metric import title_of
from latentmap.store.results import METRICS, RANKING, Key, Results


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
