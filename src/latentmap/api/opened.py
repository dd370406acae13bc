"""A finished run, opened: what it found, as arrays and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentmap.api.mapping import Map
from latentmap.api.measuring import Measures, Ranking
from latentmap.api.neighborhoods import Neighbors
from latentmap.api.pages import ReportPage, Shown, explorer_of, report_of
from latentmap.config import unknown
from latentmap.errors import LatentmapError
from latentmap.metrics.inference import StatisticsOptions
from latentmap.neighbors.graph import read_graph
from latentmap.plugins import use
from latentmap.pool.method import METHODS
from latentmap.store.results import (
    EMBEDDING,
    KEPT,
    LABELS,
    LATENTS,
    METRICS,
    NEIGHBORS,
    PROJECTION,
    RANKING,
    SAMPLES,
    SCORES,
    TRUST,
    WHAT_IS_KEPT,
    Artifact,
    Key,
    Results,
)
from latentmap.store.samples import read_samples
from latentmap.store.tables import facts_of, matrix, read_arrow_schema

if TYPE_CHECKING:
    import polars as pl
    from anndata import AnnData


class Run:
    """A run: `run.embedding("tiny-vae", "boxes", "region")`, `run.metrics`, `run.to_anndata()`.

    An encoder, variant, method or map that is not named is the only one; where there are several,
    the error names them. Rows are in the order of `run.samples`, everywhere.

    Args:
        folder: of the run.

    Attributes:
        results: its address book, for every other file.

    Raises:
        LatentmapError: the folder has no run.
    """

    def __init__(self, folder: Path | str) -> None:
        self.results = Results.open(folder)
        with suppress(LatentmapError):  # without them only their titles are not known
            use(self.results.config.get("plugins", ()))

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.results.folder

    @property
    def embeddings(self) -> list[Key]:
        """(encoder, variant, method) of every embedding."""
        return self.results.keys(EMBEDDING)

    @property
    def maps(self) -> list[Key]:
        """(encoder, variant, method, map) of every map."""
        return self.results.keys(PROJECTION)

    @cached_property
    def samples(self) -> pl.DataFrame:
        """One line per sample: its id, labels, text and own columns, without its image."""
        paths = self.results.paths(SAMPLES)
        names = [n for n in _columns(paths) if n not in ("image", "digest")]
        return _table(read_samples(paths, names))

    @property
    def metrics(self) -> pl.DataFrame:
        """One line per embedding: every metric, with chance level, interval and p-value."""
        from latentmap.report.experiments import read_experiments
        from latentmap.report.table import metrics_table

        keys = self.results.keys(METRICS)
        described = {key[-1]: METHODS.description(key[-1]) for key in keys}
        return metrics_table(read_experiments(keys, self.results.paths(METRICS)), described)

    @property
    def ranking(self) -> Ranking:
        """All embeddings, best first, and how sure the order is."""
        measures = {" / ".join(key): self.measures(*key) for key in self.results.keys(METRICS)}
        facts = self.results.read(RANKING)
        return Ranking(measures, facts)

    @property
    def kept(self) -> pl.DataFrame:
        """One line per target, figure and embedding: how much of the target it keeps.

        Raises:
            LatentmapError: the run has no targets.
        """
        import polars as pl

        if not self.results.targeted:
            raise LatentmapError(
                f"{self.folder} has no targets. Add 'targets' to its configuration."
            )
        return pl.DataFrame(self.results.read(WHAT_IS_KEPT))

    @property
    def report(self) -> ReportPage:
        """The report, which a notebook shows."""
        return report_of(self.results)

    @property
    def explorer(self) -> Shown:
        """The explorer, which a notebook shows."""
        return explorer_of(self.results)

    def latents(self, encoder: str | None = None, variant: str | None = None) -> NDArray[Any]:
        """Return what an encoder made, (N, C, H, W) or (N, D); of one shard a view of its file."""
        key = self._key(LATENTS, encoder, variant, last=2)
        where = dict(zip(LATENTS.wildcards, key, strict=False))
        parts = [shard.values for shard in self.results.read_all(LATENTS, **where).values()]
        parts = [part for part in parts if len(part)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def embedding(
        self, encoder: str | None = None, variant: str | None = None, method: str | None = None
    ) -> NDArray[np.float32]:
        """Return one embedding, (N, D)."""
        return self.results.read(EMBEDDING, *self._key(EMBEDDING, encoder, variant, method))[1]

    def neighbors(
        self,
        encoder: str | None = None,
        variant: str | None = None,
        method: str | None = None,
        *,
        grouped: bool = False,
    ) -> Neighbors:
        """Return the nearest neighbors in one embedding; `grouped`: in other source groups only."""
        key = self._key(NEIGHBORS, encoder, variant, method)
        graph = read_graph(self.results.path(NEIGHBORS, *key))
        return Neighbors.of(graph, grouped=grouped)

    def measures(
        self, encoder: str | None = None, variant: str | None = None, method: str | None = None
    ) -> Measures:
        """Return all metrics of one embedding."""
        key = self._key(METRICS, encoder, variant, method)
        table = self.results.read(SCORES, *key)
        scores = {name: matrix(table[name]) for name in table.column_names if name != "id"}
        groups = np.unique(self.samples["source_group"].to_numpy(), return_inverse=True)[1]
        statistics = StatisticsOptions(**self.results.option("statistics"))
        facts = self.results.read(METRICS, *key)
        kept = _table(self.results.read(KEPT, *key)) if self.results.targeted else None
        return Measures(facts, scores, groups, statistics, kept)

    def map(
        self,
        encoder: str | None = None,
        variant: str | None = None,
        method: str | None = None,
        name: str | None = None,
    ) -> Map:
        """Return one map, such as `umap`, and how far to trust it.

        Raises:
            LatentmapError: there is none of these names; of an embedding without maps, says how to
                get them.
        """
        asked = {"encoder": encoder, "variant": variant, "method": method}
        given = {wildcard: one for wildcard, one in asked.items() if one is not None}
        lacking = [self.results.lacks_map(*k) for k in self.results.keys(EMBEDDING, **given)]
        if lacking and all(lacking):
            raise LatentmapError(str(lacking[0]))
        key = self._key(PROJECTION, encoder, variant, method, name)
        placed, trust = self.results.read(PROJECTION, *key), self.results.read(TRUST, *key)
        quality = {one: matrix(trust[one]) for one in trust.column_names if one != "id"}
        facts = {**placed.facts, "trust": facts_of(trust)}
        return Map(placed.coordinates, facts, quality)

    def to_anndata(
        self, encoder: str | None = None, variant: str | None = None, method: str | None = None
    ) -> AnnData:
        """Return samples, embeddings and maps as AnnData, for scanpy and its kin.

        Of one embedding (all three are named, or it is the only one) `X` is the embedding, `obsm`
        has its maps as `X_umap` and so on, and `obsp["distances"]` its neighbors. Of several, `X`
        is empty and `obsm` has all of them, by `X_{encoder}_{variant}_{method}` and, for maps, the
        map's name behind it. `obs` are the samples, with the columns of the data; `uns` has the
        colours of label groups, the metrics and the ranking.

        Raises:
            LatentmapError: anndata is not installed, or no embedding has these names.
        """
        try:
            from anndata import AnnData
        except ImportError:
            raise LatentmapError(
                "to_anndata needs the package anndata: pip install 'latentmap[anndata]'."
            ) from None
        asked = (("encoder", encoder), ("variant", variant), ("method", method))
        where = {name: value for name, value in asked if value is not None}
        keys = self.results.keys(EMBEDDING, **where)
        if not keys:  # which says what is wrong
            self._key(EMBEDDING, encoder, variant, method)
        obs = self._observations()
        if len(keys) == 1:
            values = self.embedding(*keys[0])
            data = AnnData(values, obs=obs, var=_frame({}, range(values.shape[1])))
            data.obsp["distances"] = self.neighbors(*keys[0]).to_sparse()
        else:
            data = AnnData(obs=obs, var=_frame({}, ()))
            for key in keys:
                data.obsm["_".join(("X", *key))] = self.embedding(*key)
        for key in self.maps:
            if key[:3] in keys:
                name = (key[3],) if len(keys) == 1 else key
                data.obsm["_".join(("X", *name))] = self.results.read(PROJECTION, *key).coordinates
        groups = self.results.read(LABELS)["groups"]
        if "label_group" in obs:
            colors = {group["name"]: group["color"] for group in groups}
            data.uns["label_group_colors"] = [
                colors[name] for name in obs["label_group"].cat.categories
            ]
        data.uns["latentmap"] = {
            "run": self.results.name,
            "metrics": _frame(self.metrics),
            "ranking": _frame(self.ranking.to_polars()),
        }
        return data

    def _observations(self) -> Any:
        """Return what is known of the samples, but for what is nested or nowhere there."""
        import polars as pl

        columns = [
            column.name
            for column in self.samples
            if not isinstance(column.dtype, pl.List | pl.Array | pl.Struct)
            and column.null_count() < len(column)
        ]
        return _frame(self.samples.select(columns).drop("id"), self.samples["id"])

    def _key(self, artifact: Artifact[Any], *names: str | None, last: int | None = None) -> Key:
        """Return the one key that has these names, of which None stands for any.

        Raises:
            LatentmapError: there is no such name, or there are several.
        """
        wildcards = artifact.wildcards[:last]
        keys = list(dict.fromkeys(key[:last] for key in self.results.keys(artifact)))
        for place, (wildcard, name) in enumerate(zip(wildcards, names, strict=True)):
            known = list(dict.fromkeys(key[place] for key in keys))
            if name is not None and name not in known:
                raise LatentmapError(unknown(wildcard, name, known))
            if name is None and len(known) > 1:
                raise LatentmapError(f"Which {wildcard}? There are {', '.join(known)}.")
            keys = [key for key in keys if name in (None, key[place])]
        if not keys:
            raise LatentmapError(f"The run '{self.results.name}' has no {artifact.pattern}.")
        return keys[0]

    def __repr__(self) -> str:
        encoders = ", ".join(name for (name,) in self.results.encoders)
        counts = f"{len(self.embeddings)} embeddings, {len(self.maps)} maps"
        return f"Run '{self.results.name}' in {self.folder}: {encoders}; {counts}"


def open(folder: Path | str) -> Run:
    """Open a finished run by its folder, such as `results/demo`.

    Raises:
        LatentmapError: the folder has no run.
    """
    return Run(folder)


def _table(table: pa.Table) -> pl.DataFrame:
    import polars as pl

    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found


def _frame(table: pl.DataFrame | Mapping[str, Any], index: Iterable[Any] | None = None) -> Any:
    """Return a table as pandas has it, in types that files of AnnData can hold."""
    import pandas as pd
    import polars as pl

    table = pl.DataFrame(table)
    columns = {
        column.name: _categories(column) if column.dtype == pl.String else column.to_numpy()
        for column in table
    }
    names = range(len(table)) if index is None else index
    return pd.DataFrame(columns, index=pd.Index(list(map(str, names)), dtype=object))


def _categories(column: pl.Series) -> Any:
    """Return text as categories of objects: files of AnnData have no other text."""
    import pandas as pd

    names = pd.Index(column.drop_nulls().unique().sort().to_list(), dtype=object)
    return pd.Categorical(column.to_list(), categories=names)


def _columns(paths: Sequence[Path]) -> list[str]:
    return list(read_arrow_schema(paths[0]).names)
