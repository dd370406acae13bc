"""Placing samples into the maps of another run, whose own samples stay where they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentmap.errors import LatentmapError
from latentmap.neighbors.graph import NeighborGraph, read_graph
from latentmap.neighbors.rows import compared_alike
from latentmap.project.components import principal_components
from latentmap.project.place import described
from latentmap.project.placement import Reference, linear_places, nearest_in
from latentmap.project.projection import Projection, ProjectionOptions
from latentmap.store.latents import read_metadata
from latentmap.store.maps import read_map, write_map
from latentmap.store.samples import read_samples
from latentmap.store.tables import check_ids, read_embedding

FAR = 0.99
"""Quantile of a reference's own nearest distances beyond which a further sample is far from it."""


@dataclass(frozen=True)
class ReferenceFiles:
    """Files of a finished run about one embedding and one of its maps.

    Attributes:
        run: its name.
        embedding: Parquet file of the embedding.
        neighbors: Parquet file of its neighbor graph.
        map: Parquet file of the map.
    """

    run: str
    embedding: Path | str
    neighbors: Path | str
    map: Path | str


def project_into_reference(
    embedding: Path | str,
    samples: Iterable[Path | str],
    projection: Projection[ProjectionOptions],
    reference: ReferenceFiles,
    output: Path | str,
) -> None:
    """Place the samples of one embedding on the map of a reference run and write their places.

    The file is that of any map and holds the samples of this run only. Its metadata name the
    `reference` and the share of samples that are `far` from all of its samples: farther than 99 %
    of these are from their nearest sample of another source group.

    Args:
        embedding: Parquet file of the embedding.
        samples: the shards of samples, in the manifest's order.
        projection: how the map was made.
        reference: the files of the reference run.
        output: Parquet file of the places.

    Raises:
        LatentmapError: the files do not describe the same samples, or the reference's map was made
            in another way, from an embedding of other dimensions, or by placing its samples itself.
    """
    ids, values = read_embedding(embedding)
    check_ids(embedding, ids, read_samples(samples, ["id"])["id"].to_pylist())
    graph = read_graph(reference.neighbors)
    found = _read_reference(reference, projection, graph)
    if values.shape[1] != found.values.shape[1]:
        raise LatentmapError(
            f"{embedding} has {values.shape[1]} dimensions where {reference.embedding} of the "
            f"reference run has {found.values.shape[1]}. Encode both runs with the same options."
        )
    values, old = compared_alike([values, found.values], graph.metric)
    found = Reference(old, found.coordinates)
    far = far_share(values, found.values, graph)
    layout = projection.extend(*_reduced(values, found, projection.options.pca))
    facts = {
        "reference": reference.run,
        "far": far,
        "projection": described(projection),
        "metric": graph.metric,
    }
    write_map(output, ids, layout.coordinates, facts)


def _read_reference(
    files: ReferenceFiles, projection: Projection[ProjectionOptions], graph: NeighborGraph
) -> Reference:
    ids, values = read_embedding(files.embedding)
    check_ids(files.neighbors, graph.ids, ids)
    found = read_map(files.map, ids)
    first = found.facts.get("reference")
    if first is not None:
        raise LatentmapError(
            f"{files.map} of the reference run was not made from its samples: they were placed "
            f"into the maps of '{first}'. Set reference_run to '{first}'."
        )
    _check_same(files.map, found.facts.get("projection", {}), described(projection))
    return Reference(values, found.coordinates)


def _check_same(path: Path | str, made: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse what was made with other options; those that differ are named."""
    differ = [key for key in asked if made.get(key) != asked[key]]
    if differ:
        texts = (f"{key} {made.get(key)} there, {asked[key]} here" for key in differ)
        raise LatentmapError(
            f"{path} of the reference run was made with other options ({'; '.join(texts)}). Use "
            "the same options in both runs."
        )


def _reduced(
    values: NDArray[np.float32], reference: Reference, count: int | None
) -> tuple[NDArray[np.float32], Reference]:
    """Put samples and reference on the reference's principal components, if a map asks for it."""
    if count is None:
        return values, reference
    old = principal_components(reference.values, min(count, *reference.values.shape)).coordinates
    new = linear_places(values, Reference(reference.values, old))
    return new, Reference(old, reference.coordinates)


def far_share(
    values: NDArray[np.float32], reference: NDArray[np.float32], graph: NeighborGraph
) -> float:
    """Return the share of samples that are far from all samples of a reference.

    Args:
        values: (M, D) float32 embedding of the samples.
        reference: (N, D) float32 embedding of the reference.
        graph: its neighbors; those of other source groups count, where there are any.
    """
    own = graph.grouped.distances[:, 0]
    own = own[np.isfinite(own)] if np.isfinite(own).any() else graph.every.distances[:, 0]
    limit = np.quantile(own.astype(np.float64), FAR)
    share = (nearest_in(values, reference, 1).distances[:, 0] > limit).mean()
    return float(f"{share:.6g}")


def check_encoder(
    latents: Path | str,
    kind: str,
    revision: str | None,
    settings: Mapping[str, Any],
    draw: Mapping[str, Any] | None = None,
) -> None:
    """Refuse latents of a reference run that another encoder made, or with other options.

    Args:
        latents: a shard of the reference run's latents.
        kind: of this run's encoder.
        revision: of its weights; None for a cache, which does not know what made its latents.
        settings: its options that latents depend on.
        draw: how boxes are drawn, as JSON values; None where the variant shows none.

    Raises:
        LatentmapError: names what differs.
    """
    metadata = read_metadata(latents)
    made = metadata["encoder"]
    for name, asked in (("kind", kind), ("revision", revision)):
        if asked is not None and made[name] != asked:
            raise LatentmapError(
                f"{latents} of the reference run was made by an encoder of {name} '{made[name]}', "
                f"this run has '{asked}'. Use the same encoder in both runs."
            )
    _check_same(latents, made.get("settings", {}), settings)
    _check_same(latents, *map(_of_draw, (metadata.get("draw"), draw)))


def _of_draw(options: Mapping[str, Any] | None) -> dict[str, Any]:
    return {f"draw.{name}": value for name, value in (options or {}).items()}
