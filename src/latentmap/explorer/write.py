"""Writing the data of an explorer: every map, column and sample of a run, and its manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from latentmap.explorer.columns import Columns
from latentmap.explorer.everyone import Everyone, read_everyone
from latentmap.explorer.latents import located_latents
from latentmap.explorer.maps import write_maps
from latentmap.explorer.methods import described_methods, ranking_metric, write_methods
from latentmap.explorer.options import ExplorerOptions
from latentmap.explorer.sample_columns import (
    LABEL,
    LABEL_GROUP,
    Titles,
    add_column,
    add_known_columns,
    add_verdicts,
    own_column,
    own_names,
    says_the_text,
)
from latentmap.explorer.samples import (
    LinkedPictures,
    Pictures,
    Told,
    each_once,
    id_parts,
    sample_parts,
    thumbnail_parts,
)
from latentmap.explorer.site import NUMBER, Site, in_chunks
from latentmap.explorer.targets import READS as OF_TARGETS
from latentmap.explorer.targets import add_targets
from latentmap.explorer.work import Work
from latentmap.report.labels import read_labels
from latentmap.report.palette import GROUPS, NEUTRAL, ordered_colors
from latentmap.report.picture_host import picture_host
from latentmap.store.results import (
    ANNOTATIONS,
    EXPLORER,
    LABELS,
    LATENTS,
    METRICS,
    NEIGHBORS,
    OUTLIERS,
    PROJECTION,
    RANKING,
    SAMPLES,
    SAMPLING_WEIGHTS,
    SOURCE_METRICS,
    THUMBNAILS,
    TRUST,
    Key,
    Results,
)
from latentmap.store.tables import (
    read_parquet,
)

FORMAT, VERSION = "latentmap explorer", 1

READS = (
    *(SAMPLES, THUMBNAILS, ANNOTATIONS, LABELS, METRICS, RANKING),
    *(SAMPLING_WEIGHTS.over("mapped"), OUTLIERS, NEIGHBORS, PROJECTION, TRUST),
    *(PROJECTION.theirs, SOURCE_METRICS, LATENTS, *OF_TARGETS),
)
"""The files that an explorer is made of."""

NEEDS = (
    *("run", "explorer", "projections", "reference_run", "draw.colors"),
    *("report.image_url", "outliers.k"),
)
"""The options that it depends on."""

SHADES = 9
"""Colours of numbers, between which others are mixed."""

FEW = 50
"""Values of a column that is shown first, where there are no labels."""


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
    work = Work(results, everyone, site, columns)
    add_known_columns(columns, everyone, read_labels(results.path(LABELS)))
    told = _add_other_columns(columns, results, options)
    add_targets(work)
    add_verdicts(columns, everyone, told.annotations)
    methods = described_methods(results)
    write_methods(work, methods, options.neighbors)
    maps = write_maps(work, methods)
    site.finish(
        {
            "format": FORMAT,
            "version": VERSION,
            "latentmap": version("latentmap"),
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
                "regions": results.option("draw.colors"),
            },
            "missing": _missing(options, everyone, methods),
            **_write_samples(work, told, options),
        }
    )


def _add_other_columns(columns: Columns, results: Results, options: ExplorerOptions) -> Told:
    """Add the samples' own columns and annotations; return which of them are told of each."""
    samples = results.paths(SAMPLES)
    titles = Titles(column["title"] for column in columns.entries)
    own: dict[str, str] = {}
    for name in own_names(samples):
        title, values = titles.of(name, "sample"), own_column(samples, name)
        repeats = options.text and says_the_text(samples, values)
        if repeats or add_column(columns, name, title, values, "sample", options.text):
            own[name] = title
    annotations, told = pa.table({}), dict[str, str]()
    for path in results.paths(ANNOTATIONS):
        table = read_parquet(path).drop_columns("id")
        for name in table.column_names:
            title = titles.of(name, "annotation")
            if add_column(columns, name, title, table[name], "annotation", options.text):
                told[name] = title
        annotations = table.select([*told])
    return Told([*own], annotations, options.text, titles=[*own.values(), *told.values()])


def _write_samples(work: Work, told: Told, options: ExplorerOptions) -> dict[str, Any]:
    """Write what is told of each sample; return what the manifest says of it."""
    site, samples = work.site, work.results.paths(SAMPLES)
    shown = options.pictures and work.everyone.has_pictures
    url = work.results.option("report.image_url")
    pictures: Pictures | LinkedPictures | None = Pictures(site) if shown else None
    if options.pictures and picture_host(url) is not None:
        pictures = LinkedPictures(samples, url)
    parts = sample_parts(samples, told, pictures)
    abouts = ["sample"] * len(told.own) + ["annotation"] * told.annotations.num_columns
    thumbnails = None
    if shown:
        jpegs = map(each_once, in_chunks(thumbnail_parts(samples, work.results.paths(THUMBNAILS))))
        thumbnails = site.write_chunks(f"thumbnails/{NUMBER}.arrow", jpegs)
    return {
        "ids": site.write_chunks(f"ids/{NUMBER}.arrow", in_chunks(id_parts(samples))),
        "samples": {
            **site.write_chunks(f"samples/{NUMBER}.arrow", in_chunks(parts)),
            "columns": [
                {"name": f"c{number}", "title": title, "about": about}
                for number, (title, about) in enumerate(zip(told.titles, abouts, strict=True))
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
    else the first with a few categories, else the density of the map's method.
    """
    order = sorted(maps, key=lambda entry: entry["dims"] != 2)
    known = [column["id"] for column in columns.entries]
    few = [
        column["id"]
        for column in columns.entries
        if column["kind"] == "category"
        and column["id"] != "source_group"
        and 1 < column["values"] <= FEW
    ]
    density = [f"density::{entry['method']}" for entry in order]
    choice = [name for name in (LABEL_GROUP, LABEL, *few, *density) if name in known]
    return {
        "map": next((entry["id"] for entry in order), None),
        "column": next(iter([*choice, *known]), None),
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
            "remedy": f"Set 'explorer: {{{option}}}' in the run's CONFIG.yaml and run: "
            "latentmap run --configfile CONFIG.yaml -- explore",
        }
        for what, why, option in found
    ]
