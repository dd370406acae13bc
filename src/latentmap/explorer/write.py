"""Writing the data of an explorer: every map, column and sample of a run, and its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import latentmap
from latentmap.explorer.columns import Columns, number
from latentmap.explorer.coordinates import Alignment, align, stored, unmoved
from latentmap.explorer.everyone import Everyone, read_everyone
from latentmap.explorer.latents import ACCOUNTS, located_latents
from latentmap.explorer.methods import described_methods, ranking_metric
from latentmap.explorer.neighbors import read_nearest
from latentmap.explorer.options import ExplorerOptions
from latentmap.explorer.sample_columns import (
    LABEL,
    LABEL_GROUP,
    add_column,
    add_known_columns,
    own_column,
    own_names,
)
from latentmap.explorer.samples import (
    Pictures,
    Told,
    each_once,
    id_parts,
    sample_parts,
    thumbnail_parts,
)
from latentmap.explorer.site import NUMBER, Site, in_chunks
from latentmap.report.labels import read_labels
from latentmap.report.palette import GROUPS, NEUTRAL, ordered_colors
from latentmap.samples.spelling import plain_name
from latentmap.store.maps import read_map
from latentmap.store.results import (
    ANNOTATIONS,
    EXPLORER,
    LABELS,
    LATENTS,
    METRICS,
    NEIGHBORS,
    PROJECTION,
    RANKING,
    SAMPLES,
    SAMPLING_WEIGHTS,
    SOURCE_METRICS,
    THUMBNAILS,
    TRUST,
    Artifact,
    Key,
    Results,
)
from latentmap.store.tables import (
    check_ids,
    facts_of,
    matrix,
    read_parquet,
    read_parquet_schema,
)

FORMAT, VERSION = "latentmap explorer", 1

READS = (
    *(SAMPLES, THUMBNAILS, ANNOTATIONS, LABELS, METRICS, RANKING),
    *(SAMPLING_WEIGHTS.over("mapped"), NEIGHBORS, PROJECTION, TRUST),
    *(PROJECTION.theirs, SOURCE_METRICS, LATENTS),
)
"""The files that an explorer is made of."""

NEEDS = ("run", "explorer", "projections", "reference_run")
"""The options that it depends on."""

SHADES = 9
"""Colours of numbers, between which others are mixed."""

FEW = 50
"""Values of a column that is shown first, where there are no labels."""

DENSITY = "Inverse mean distance to the nearest neighbors in the embedding: low is rare."
PURITY = (
    "Share of the 15 nearest neighbors in the embedding that have the sample's label, among "
    "samples of other source groups."
)
FAR = "Distance in the embedding to the nearest sample of another source group: 0 is a duplicate."
DOUBT = "How far to trust the sample's place on the map: below 0.8, its place says little."

TOLD_TRUST = ("k", "assessed", "recall", "trustworthiness", "continuity", "doubtful")
"""What is said of the trust in a map as a whole."""


def write_explorer(results: Results) -> None:
    """Write the data of an explorer; docs/explorer-format.md says in what form.

    Raises:
        LatentmapError: a file of the run is missing or damaged, or does not belong to its samples.
    """
    results = results.limited_to(READS, NEEDS)
    options = ExplorerOptions.model_validate(results.option("explorer"))
    everyone = read_everyone(results.paths(SAMPLES))
    key = everyone.key(results.option("run"))
    site = Site(results.address(EXPLORER).parent, key)
    columns = Columns(site)
    add_known_columns(columns, everyone, read_labels(results.path(LABELS)))
    told = _add_other_columns(columns, results, options)
    methods = described_methods(results)
    _write_methods(site, columns, results, everyone, methods, options.neighbors)
    maps = _write_maps(site, columns, results, everyone, methods)
    site.finish(
        {
            "format": FORMAT,
            "version": VERSION,
            "latentmap": latentmap.__version__,
            "run": results.option("run"),
            "key": key,
            "count": len(everyone.ids),
            "first": _first(maps, columns),
            "metric": ranking_metric(results),
            "methods": [*methods.values()],
            "maps": maps,
            "columns": columns.entries,
            "latents": _located(results),
            "palette": {
                "categories": GROUPS,
                "none": NEUTRAL,
                "numbers": ordered_colors(SHADES),
            },
            "missing": _missing(options, everyone, methods),
            **_write_samples(site, results, everyone, told, options),
        }
    )


def _add_other_columns(columns: Columns, results: Results, options: ExplorerOptions) -> Told:
    """Add the samples' own columns and annotations; return which of them are told of each."""
    samples = results.paths(SAMPLES)
    own = [
        name
        for name in own_names(samples)
        if add_column(columns, name, own_column(samples, name), "sample", options.text)
    ]
    annotations = pa.table({})
    for path in results.paths(ANNOTATIONS):
        table = read_parquet(path)
        told = [
            name
            for name in table.column_names
            if name != "id" and add_column(columns, name, table[name], "annotation", options.text)
        ]
        annotations = table.select(told)
    return Told(own, annotations, options.text)


def _write_methods(
    site: Site,
    columns: Columns,
    results: Results,
    everyone: Everyone,
    methods: Mapping[Key, dict[str, Any]],
    lists: int,
) -> None:
    """Write columns of the methods that have maps, and the neighbors in the best ones."""
    mapped = set(results.mapped)
    listed = set(islice(sorted(methods, key=lambda key: key not in mapped), lists))
    for key, method in methods.items():
        method |= {"maps": [], "columns": {}, "neighbors": None, "account": None}
        if key not in mapped | listed:
            continue
        nearest = read_nearest(results.path(NEIGHBORS, *key), everyone.ids)
        if key[:2] in results.inspected and nearest.metric == "euclidean":
            method["account"] = ACCOUNTS.get(key[2])
        if key in listed:
            chunks = nearest.chunks(everyone.groups)
            method["neighbors"] = {
                **site.write_chunks(f"neighbors/{method['id']}/{NUMBER}.arrow", chunks),
                "k": nearest.rows.shape[1],
                "metric": nearest.metric,
            }
        if key not in mapped:
            continue
        density = _read_column(results, SAMPLING_WEIGHTS, key, "density", everyone)
        found: dict[str, tuple[NDArray[Any], str, str]]
        found = {"density": (density, "local density", DENSITY)}
        found["purity"] = (nearest.purity(everyone.labels), "neighbors with its label", PURITY)
        far = np.where(np.isfinite(nearest.distance_elsewhere), nearest.distance_elsewhere, np.nan)
        found["nearest_other"] = (far, "distance to the nearest of another source group", FAR)
        for name, (values, title, description) in found.items():
            if np.isnan(values).all():
                continue
            known = f"{name}::{method['id']}"
            method["columns"][name] = columns.add(
                known, number(values), title, description, "method", method["id"]
            )


def _read_column(
    results: Results, artifact: Artifact[pa.Table], key: Key, name: str, everyone: Everyone
) -> NDArray[np.float32]:
    """Read a column of numbers that every sample has."""
    path = results.path(artifact, *key)
    table = read_parquet(path, ["id", name])
    check_ids(path, table["id"].to_pylist(), everyone.ids)
    values: NDArray[np.float32] = matrix(table[name])
    return values


def _write_maps(
    site: Site,
    columns: Columns,
    results: Results,
    everyone: Everyone,
    methods: Mapping[Key, dict[str, Any]],
) -> list[dict[str, Any]]:
    """Write all maps, each laid over the first one with as many dimensions."""
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
        places = read_map(results.path(PROJECTION, *key), everyone.ids).coordinates.astype(float)
        reference, target = references.setdefault(places.shape[1], (known, places))
        laid = unmoved(places.shape[1]) if reference == known else align(places, target)
        found = stored(laid.moved(places))
        doubt = _read_column(results, TRUST, key, "trust", everyone)
        own = {}
        if not np.isnan(doubt).all():
            own["trust"] = columns.add(
                f"trust::{known}", number(doubt), "trust", DOUBT, "map", known
            )
        method["maps"].append(known)
        entries.append(
            {
                "id": known,
                "method": method["id"],
                "projection": key[3],
                "kind": results.option("projections")[key[3]]["kind"],
                "dims": places.shape[1],
                **site.write(f"maps/{known}.arrow", found.table),
                **found.facts,
                "alignment": {"reference": reference, "residual": laid.residual},
                "trust": {fact: trust[key][fact] for fact in TOLD_TRUST},
                "columns": own,
                "before": _write_before(site, results, key, known, laid),
                "regions": _regions(results, key, laid),
            }
        )
    return entries


def _write_before(
    site: Site, results: Results, key: Key, known: str, laid: Alignment
) -> dict[str, Any] | None:
    """Write where the samples of the reference run are on a map; None if there is none."""
    run = results.option("reference_run")
    if run is None:
        return None
    places = read_map(results.path(PROJECTION.theirs, *key)).coordinates
    found = stored(laid.moved(places))
    entry = site.write(f"maps/{known}.before.arrow", found.table)
    return {"run": run, "count": len(places), **entry, **found.facts}


def _regions(results: Results, key: Key, laid: Alignment) -> dict[str, Any] | None:
    """Return how sources are spread over the regions of a map; None where that is not known."""
    if key[:3] not in results.keys(SOURCE_METRICS):
        return None
    compared = results.read(SOURCE_METRICS, *key[:3])
    found = compared["maps"].get(key[3])
    if found is None:
        return None
    return {
        "sources": [source["name"] for source in compared["sources"]],
        "centres": laid.moved(np.array(found["centres"])).tolist(),
        "shares": found["shares"],
        "p_adjusted": found["p_adjusted"],
    }


def _write_samples(
    site: Site, results: Results, everyone: Everyone, told: Told, options: ExplorerOptions
) -> dict[str, Any]:
    """Write what is told of each sample; return what the manifest says of it."""
    samples = results.paths(SAMPLES)
    shown = options.pictures and everyone.has_pictures
    pictures = Pictures(site) if shown else None
    parts = sample_parts(samples, told, pictures)
    names = [(name, "sample") for name in told.own]
    names += [(name, "annotation") for name in told.annotations.column_names]
    thumbnails = None
    if shown:
        jpegs = map(each_once, in_chunks(thumbnail_parts(samples, results.paths(THUMBNAILS))))
        thumbnails = site.write_chunks(f"thumbnails/{NUMBER}.arrow", jpegs)
    return {
        "ids": site.write_chunks(f"ids/{NUMBER}.arrow", in_chunks(id_parts(samples))),
        "samples": {
            **site.write_chunks(f"samples/{NUMBER}.arrow", in_chunks(parts)),
            "columns": [
                {"name": f"c{number}", "title": plain_name(name), "about": about}
                for number, (name, about) in enumerate(names)
            ],
        },
        "thumbnails": thumbnails,
        "pictures": None if pictures is None else pictures.facts,
    }


def _located(results: Results) -> list[dict[str, Any]]:
    """Return where the latents are, of which methods have an account of their distances."""
    folder = results.address(EXPLORER).parent
    found = []
    for encoder, variant in results.inspected:
        paths = results.paths(LATENTS, encoder=encoder, variant=variant)
        located = located_latents(paths, folder)
        if located is not None:
            found.append({"encoder": encoder, "variant": variant, **located})
    return found


def _first(maps: Sequence[Mapping[str, Any]], columns: Columns) -> dict[str, str | None]:
    """Return which map and column are shown first.

    The map is the first in two dimensions; the column is that of label groups, else of labels,
    else the first with a few categories.
    """
    order = sorted(maps, key=lambda entry: entry["dims"] != 2)
    known = {column["id"] for column in columns.entries}
    few = [
        column["id"]
        for column in columns.entries
        if column["kind"] == "category"
        and column["id"] != "source_group"
        and 1 < column["values"] <= FEW
    ]
    choice = [name for name in (LABEL_GROUP, LABEL) if name in known]
    others = [column["id"] for column in columns.entries]
    return {
        "map": next((entry["id"] for entry in order), None),
        "column": next(iter([*choice, *few, *others]), None),
    }


def _missing(
    options: ExplorerOptions, everyone: Everyone, methods: Mapping[Key, Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Say what a reader might look for and does not find."""
    found = []
    if not options.pictures and everyone.has_pictures:
        found.append(("pictures", "The explorer was written without pictures.", "pictures: true"))
    if not options.text:
        found.append(("text", "The explorer was written without texts.", "text: true"))
    lists = sum(method["neighbors"] is not None for method in methods.values())
    if lists < len(methods):
        why = f"The explorer has the nearest neighbors in {lists} of {len(methods)} embeddings."
        found.append(("neighbors", why, f"neighbors: {len(methods)}"))
    return [
        {
            "what": what,
            "why": why,
            "remedy": f"Set 'explorer: {{{option}}}' in the configuration and run: "
            "snakemake explore",
        }
        for what, why, option in found
    ]
