"""The maps of a run, laid over one another, with what else is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.explorer.columns import number
from latentmap.explorer.coordinates import Alignment, align, stored, unmoved
from latentmap.explorer.work import Work
from latentmap.store.maps import read_map
from latentmap.store.results import PROJECTION, SOURCE_METRICS, TRUST, Key
from latentmap.store.tables import facts_of, read_parquet_schema

TOLD_TRUST = ("k", "assessed", "recall", "trustworthiness", "continuity", "doubtful")
"""What is said of the trust in a map as a whole."""

TRUST_COLUMN = (
    "trust",
    "How far to trust the sample's place on the map: below 0.8, its place says little.",
)
"""Title and description of the column of a map."""


def write_maps(work: Work, methods: Mapping[Key, dict[str, Any]]) -> list[dict[str, Any]]:
    """Write all maps, each laid over the first one with as many dimensions.

    Args:
        work: the explorer.
        methods: what the manifest says of each, best first; the ids of its maps are added.

    Returns:
        What the manifest says of each map, the best method's first and those of baselines last.
    """
    results = work.results
    rank = {key: place for place, key in enumerate(methods)}
    trust = {key: facts_of(read_parquet_schema(results.path(TRUST, *key))) for key in results.maps}

    def best_first(key: Key) -> tuple[bool, int, float]:
        method = key[:3]
        return methods[method]["baseline"], rank[method], -(trust[key]["recall"] or 0)

    references: dict[int, tuple[str, NDArray[np.float64]]] = {}
    entries = []
    for key in sorted(results.maps, key=best_first):
        method = methods[key[:3]]
        known = f"{method['id']}/{key[3]}"
        read = read_map(results.path(PROJECTION, *key), work.everyone.ids)
        places = read.coordinates.astype(float)
        reference, target = references.setdefault(places.shape[1], (known, places))
        laid = unmoved(places.shape[1]) if reference == known else align(places, target)
        found = stored(laid.moved(places))
        own = {}
        trusted = work.numbers(TRUST, key, ["trust"])["trust"]
        if not np.isnan(trusted).all():
            own["trust"] = work.columns.add(
                f"trust::{known}", number(trusted), *TRUST_COLUMN, about="map", of=known
            )
        method["maps"].append(known)
        entries.append(
            {
                "id": known,
                "method": method["id"],
                "projection": key[3],
                "kind": results.option("projections")[key[3]]["kind"],
                "dims": places.shape[1],
                **work.site.write(f"maps/{known}.arrow", found.table),
                **found.facts,
                "alignment": {"reference": reference, "residual": laid.residual},
                "trust": {fact: trust[key][fact] for fact in TOLD_TRUST},
                "columns": own,
                "before": _write_before(work, key, known, laid),
                "regions": _regions(work, key, laid),
            }
        )
    return entries


def _write_before(work: Work, key: Key, known: str, laid: Alignment) -> dict[str, Any] | None:
    """Write where the samples of the reference run are on a map; None if there is none."""
    run = work.results.option("reference_run")
    if run is None:
        return None
    places = read_map(work.results.path(PROJECTION.theirs, *key)).coordinates
    found = stored(laid.moved(places))
    entry = work.site.write(f"maps/{known}.before.arrow", found.table)
    return {"run": run, "count": len(places), **entry, **found.facts}


def _regions(work: Work, key: Key, laid: Alignment) -> dict[str, Any] | None:
    """Return how sources are spread over the regions of a map; None where that is not known."""
    if key[:3] not in work.results.keys(SOURCE_METRICS):
        return None
    compared = work.results.read(SOURCE_METRICS, *key[:3])
    found = compared["maps"].get(key[3])
    if found is None:
        return None
    return {
        "sources": [source["name"] for source in compared["sources"]],
        "centres": laid.moved(np.array(found["centres"])).tolist(),
        "shares": found["shares"],
        "p_adjusted": found["p_adjusted"],
    }
