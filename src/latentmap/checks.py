"""What is wrong with a run beside its configuration: sources, models, annotations and rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from latentmap.config import unknown
from latentmap.encode.devices import may_have
from latentmap.encode.encoder import ENCODERS, Encoder, EncoderOptions
from latentmap.errors import LatentmapError
from latentmap.export.caches import is_cache_of
from latentmap.neighbors.graph import read_metric
from latentmap.project.projection import PROJECTIONS
from latentmap.project.reference import check_encoder
from latentmap.report.colorings import LABEL
from latentmap.report.maps import GROUP, TRUST
from latentmap.report.points import joined_name, own_name, plain_columns
from latentmap.run import Run, created, kind_of
from latentmap.samples.annotations import FILE, check_annotation, joined_names
from latentmap.samples.source import NOTES, Source, SourceOptions
from latentmap.store.results import (
    EMBEDDING,
    LATENTS,
    MANIFEST,
    NEIGHBORS,
    PROJECTION,
    RUNS,
    Results,
)
from latentmap.store.samples import SCHEMA
from latentmap.targets.columns import check_column
from latentmap.targets.derivation import DERIVATIONS

Sources = Mapping[str, Source[SourceOptions]]

SOURCE = "source"
"""Colours maps where there are several."""

COLUMNS = {"images": "image", "texts": "text"}
"""The column that gives what an encoder needs."""


def refuse(problems: Iterable[str]) -> None:
    """Raise one error for all problems, if there are any.

    Raises:
        LatentmapError: has a line for each.
    """
    lines = list(problems)
    if lines:
        raise LatentmapError("\n".join(lines))


def wrong_with_sources(sources: Sources) -> Iterator[str]:
    """Yield what is wrong with sources that shows before they are opened."""
    for source in sources.values():
        yield from _complaints(source.revision)


def wrong_with_annotations(run: Run) -> Iterator[str]:
    """Yield which annotations cannot be read, or lack a column."""
    for options in run.annotations:
        yield from _complaints(partial(check_annotation, options))


def wrong_with_encoders(run: Run, sources: Sources) -> Iterator[str]:
    """Yield which encoders cannot be loaded, or need what a source does not give."""
    for options in run.encoders:
        encoder: Encoder[EncoderOptions] = ENCODERS.create(**created(options))
        found = [*_complaints(encoder.check)] or [*_complaints(encoder.revision)]
        yield from (f"Encoder {options.name}: {line}" for line in found)
        for name, source in sources.items():
            if encoder.needs is not None and encoder.needs not in source.gives:
                column = COLUMNS.get(encoder.needs)
                mapped = f", or map the source's 'columns.{column}'" if column else ""
                yield (
                    f"Encoder {options.name} needs {encoder.needs}, which the source {name} does "
                    f"not give. Leave one of them out{mapped}."
                )


def wrong_with_reference(run: Run, runs: Path = Path(RUNS)) -> Iterator[str]:
    """Yield what a reference run lacks, or has of another encoder.

    Args:
        run: the configuration that names it.
        runs: the folder of all runs.
    """
    if run.reference_run is None:
        return
    theirs = Results(runs / run.run, run.facts).reference
    manifest = theirs.path(MANIFEST)
    if not manifest.exists():
        yield _not_there(run, manifest)
        return
    graphs = NEIGHBORS.over("compared")
    embedded = (EMBEDDING.over("compared"), graphs, PROJECTION)
    for encoder, variant in theirs.latents:
        where = {"encoder": encoder, "variant": variant}
        latents = theirs.paths(LATENTS, **where)
        missing = [path for path in latents if not path.exists()]
        if missing:
            yield _not_there(run, missing[0])
        elif latents:
            options = run.encoder(encoder)
            other = [*_complaints(partial(_check_encoder, run, options, variant, latents[0]))]
            needed = (path for artifact in embedded for path in theirs.paths(artifact, **where))
            missing = [path for path in needed if not path.exists()]
            yield from other or [_not_there(run, path) for path in missing[:1]]
            if not other and not missing:
                yield from _complaints(partial(_check_metric, run, theirs.paths(graphs, **where)))


def wrong_with_maps(run: Run) -> Iterator[str]:
    """Yield which maps lack what they need beside embeddings."""
    for encoder in run.encoders:
        for name in run.map_names if run.mapped_methods(encoder.name) else ():
            made = PROJECTIONS.create(**created(run.projection_of(encoder.name, name)))
            yield from (f"Map {name}: {line}" for line in _complaints(made.check))


def wrong_with_caches(run: Run) -> Iterator[str]:
    """Yield which caches would be written over files that the run has not written."""
    parts = [*run.samples.sources, *run.encoders]
    read = {Path(given).resolve() for part in parts if (given := getattr(part, "input", None))}
    for path in map(Path, run.cache_files.values()):
        if path.resolve() in read:
            yield f"export.cache: {path} is read by this run. Give another path."
        elif path.exists() and not is_cache_of(path, run.run):
            yield f"export.cache: {path} is there, and not of this run. Move it, or give another."


def missing_devices(run: Run) -> list[str]:
    """Say which devices encoders ask for that this machine has not, one line each."""
    asked = {e.name: getattr(e, "device", "auto") for e in run.encoders}
    return [
        f"Encoder {name}: there is no '{device}' device here. Set its device to auto or cpu."
        for name, device in asked.items()
        if not may_have(device)
    ]


def without_effect(run: Run) -> Iterator[str]:
    """Yield what a configuration asks for that no encoder's latents allow, one line each."""
    if run.methods != "all" and not any(run.has_channels(e.name) for e in run.encoders):
        yield (
            "methods has no effect: pooling methods are for feature maps, and the latents of all "
            "encoders are vectors, which are measured as they are."
        )
    if (
        run.maps != "all"
        and run.map_names
        and not any(run.mapped_methods(e.name) for e in run.encoders)
    ):
        yield f"No map is made: none of the methods in maps ({', '.join(run.maps)}) is measured."


def wrong_with_rows(run: Run, sources: Sources, rows: pl.DataFrame) -> Iterator[str]:
    """Yield what is wrong with the rows that a run takes: no labels, and how few they are.

    Args:
        run: its configuration.
        sources: by name.
        rows: source, id and label (null where a row needs one and has none).
    """
    for name in _silent(sources, rows):
        given = sources[name].options.input
        whole = f"{name} ({given})" if given else name
        yield f"No row of {whole} has a label. {sources[name].unlabelled_remedy}"
    usable = _usable(rows)
    samples = usable["id"].n_unique()
    if samples == 1 and run.reference_run is None:
        yield "There is one sample only, and nothing that it could be compared with. Give more."
    for key, k in _chosen_neighbors(run):
        if 0 < samples <= k:
            yield (
                f"{key} is {k}, but with {samples:,} samples each has at most {samples - 1:,} "
                "neighbors. Lower it, or leave it out."
            )


def wrong_with_colors(run: Run, sources: Sources) -> Iterator[str]:
    """Yield that maps are to be coloured by what neither samples nor annotations have."""
    asked = run.report.color_by
    always = [GROUP, LABEL, TRUST, *([SOURCE] if len(sources) > 1 else [])]
    if asked in always:
        return
    own = (source.read([0]).flatten().schema for source in sources.values())
    columns = [own_name(name) for schema in own for name in plain_columns(schema)]
    columns += [joined_name(name) for part in run.annotations for name in joined_names(part)]
    offered = dict.fromkeys([*always, *(name for name in columns if name not in NOTES)])
    if asked not in offered:
        yield f"report.color_by: {unknown('column', asked, offered)}"


def wrong_with_targets(run: Run, sources: Sources) -> Iterator[str]:
    """Yield which targets need a column that neither samples nor annotations have."""
    if not run.target_entries:
        return
    names = [*SCHEMA.names, *(name for s in sources.values() for name in s.read([0]).column_names)]
    for options in run.annotations:
        names += [*joined_names(options), options.prefix + FILE]
    for entry in run.target_entries:
        key, derived = entry["key"], entry["derived"]
        named = {f"{key}.where.{column}": column for column in entry["where"]}
        if derived is None:
            named[f"{key}.column"] = entry["column"]
        else:
            look = partial(DERIVATIONS.create(**derived).columns, names)
            yield from (f"{key}.derived.{derived['name']}: {line}" for line in _complaints(look))
        for place, column in named.items():
            yield from _complaints(partial(check_column, column, names, place))


def one_label(run: Run, sources: Sources, rows: pl.DataFrame) -> list[str]:
    """Say that no two labels can be compared where all rows have the same one.

    Args:
        run: its configuration.
        sources: by name.
        rows: as for `wrong_with_rows`.
    """
    labels = _usable(rows).filter(pl.col("label") != "")["label"].unique().to_list()
    if len(labels) != 1 or _silent(sources, rows) or not _compares_labels(run, sources):
        return []
    return [
        f"Every row has the label '{labels[0]}': what compares labels is left out. "
        f"{_remedy_of_one_label(run)}"
    ]


def _not_there(run: Run, path: Path) -> str:
    return (
        f"reference_run: {path} is not there. Run '{run.reference_run}' first, with the encoders, "
        "variants, methods, maps and projections that this run asks for."
    )


def _check_encoder(run: Run, options: EncoderOptions, variant: str, latents: Path) -> None:
    encoder: Encoder[EncoderOptions] = ENCODERS.create(**created(options))
    known = None if encoder.is_cache else encoder.revision()
    drawn = run.draw.model_dump(mode="json") if variant == "boxes" else None
    check_encoder(latents, kind_of(options), known, encoder.settings(), drawn)


def _check_metric(run: Run, graphs: Sequence[Path]) -> None:
    """Refuse the graphs of a reference run that compares samples by another metric."""
    for graph in graphs[:1]:
        made, asked = read_metric(graph), run.neighbors.metric
        if made != asked:
            raise LatentmapError(
                f"{graph} of the reference run was made with another metric (neighbors.metric "
                f"{made} there, {asked} here). Use the same in both runs."
            )


def _complaints(look: Callable[[], object]) -> Iterator[str]:
    """Yield what is wrong with what is looked at, if anything."""
    try:
        look()
    except LatentmapError as error:
        yield str(error)


def _usable(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("id").fill_null("") != "", pl.col("label").is_not_null())


def _silent(sources: Sources, rows: pl.DataFrame) -> list[str]:
    """Return the names of the sources whose rows need a label and have none."""
    return [name for name, source in sources.items() if _has_lost_labels(name, source, rows)]


def _has_lost_labels(name: str, source: Source[SourceOptions], rows: pl.DataFrame) -> bool:
    labels = rows.filter(source=name)["label"].fill_null("")
    return source.has_labels and 0 < len(labels) == (labels == "").sum()


def _compares_labels(run: Run, sources: Sources) -> bool:
    """Whether a run is about its own labels; samples placed into another's maps may have one."""
    return run.reference_run is None and all(source.has_labels for source in sources.values())


def _remedy_of_one_label(run: Run) -> str:
    if run.samples.num_samples is not None and not run.samples.stratify:
        return "Set 'samples.stratify' to true, which takes a share of every label."
    return "Give data of several labels, or set 'columns: {label: null}' for data without labels."


def _chosen_neighbors(run: Run) -> Iterator[tuple[str, int]]:
    """Yield the numbers of neighbors that a user set and that a metric is defined by.

    Those of the graph, of maps and of trust are upper bounds, which fewer samples lower.
    """
    parts: list[tuple[str, Any]] = [(f"metrics.{name}", part) for name, part in run.metrics]
    for name, part in [*parts, ("density", run.density), ("inspection", run.inspection)]:
        if part is not None and "k" in part.model_fields_set:
            yield f"{name}.k", part.k
