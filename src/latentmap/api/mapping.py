"""Maps of vectors in memory, and how far to trust them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentmap.api.given import Column, Rows, names_of, rows_of
from latentmap.api.neighborhoods import graph_of, groups_of
from latentmap.api.tables import Tabular
from latentmap.config import checked
from latentmap.neighbors.graph import compact
from latentmap.neighbors.rows import DistanceMetric
from latentmap.neighbors.search import NeighborOptions
from latentmap.project.place import described, lay_out
from latentmap.project.projection import PROJECTIONS, Projection
from latentmap.project.quality import (
    DOUBTFUL,
    Repeated,
    TrustOptions,
    assess,
    trust_columns,
    trust_facts,
)
from latentmap.store.maps import AXES
from latentmap.store.samples import evenly_spaced

if TYPE_CHECKING:
    import altair as alt
    import polars as pl


@dataclass(frozen=True, repr=False)
class Map(Tabular):
    """Where samples are on a map, and how far to trust that.

    Attributes:
        coordinates: (N, dims) float32.
        facts: how it was made, and what it keeps on the whole, as a run keeps them.
        quality: by name what it keeps of each sample, (N,) float32: `trust`, of which a value below
            0.8 says that the sample's place means little, and what it comes from.
    """

    coordinates: NDArray[np.float32]
    facts: Mapping[str, Any]
    quality: Mapping[str, NDArray[np.float32]]

    @property
    def trust(self) -> NDArray[np.float32]:
        """(N,) trust in each sample's place; NaN where it was not assessed."""
        return self.quality["trust"]

    def to_polars(self) -> pl.DataFrame:
        """Return one line per sample: x, y (, z), trust and what it comes from."""
        import polars as pl

        axes = dict(zip(AXES, self.coordinates.T, strict=False))
        return pl.DataFrame({**axes, **self.quality})

    def plot(self, labels: Column | None = None) -> alt.Chart:
        """Return an Altair chart of the first two axes; places to be doubted are pale."""
        import altair as alt

        from latentmap.report.palette import GROUPS, NEUTRAL

        count = len(self.coordinates)
        names = [""] * count if labels is None else names_of(labels, None, count, "labels").tolist()
        values = [
            {"row": row, "x": x, "y": y, "label": label, "trust": None if trust != trust else trust}
            for row, ((x, y, *_), label, trust) in enumerate(
                zip(self.coordinates.tolist(), names, self.trust.tolist(), strict=True)
            )
        ]
        known = sorted(set(names) - {""})
        colors = [GROUPS[place % len(GROUPS)] for place in range(len(known))]
        pale = alt.condition(alt.datum.trust < DOUBTFUL, alt.value(0.25), alt.value(0.8))
        encodings: dict[str, Any] = {
            "x": alt.X("x:Q", axis=None, scale=alt.Scale(zero=False)),
            "y": alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False)),
            "opacity": pale,
            "tooltip": ["row:Q", alt.Tooltip("trust:Q", format=".2f")],
        }
        if known:
            scale = alt.Scale(domain=[*known, ""], range=[*colors, NEUTRAL])
            encodings["color"] = alt.Color("label:N", scale=scale, title=None)
            encodings["tooltip"].insert(1, "label:N")
        chart = alt.Chart(alt.InlineData(values=values), width=460, height=460)
        return chart.mark_circle(size=36).encode(**encodings).interactive()

    @property
    def _caption(self) -> str:
        kind, dims = self.facts["projection"]["kind"], self.coordinates.shape[1]
        doubtful = self.facts["trust"]["doubtful"]
        said = "" if doubtful is None else f"; {doubtful:.0%} of the places are doubtful"
        return f"{kind} of {len(self.coordinates):,} samples in {dims} dimensions{said}"


def project(
    X: Rows,  # noqa: N803 (as scikit-learn calls it)
    method: str | type[Projection[Any]] | Projection[Any] = "umap",
    dims: int = 2,
    *,
    k: int = 90,
    metric: DistanceMetric = "euclidean",
    random_state: int = 0,
    trust: Mapping[str, Any] | None = None,
    **options: Any,
) -> Map:
    """Place samples on a map, and measure how far to trust it.

    Args:
        X: (N, D), one sample per row.
        method: `pca`, `tsne` or `umap` (`latentmap list projections`), or a class or an object of
            your own that derives from `Projection`.
        dims: 2 or 3.
        k: neighbors that are found of each sample; t-SNE needs three times its perplexity.
        metric: by which samples are compared.
        random_state: seed of everything random.
        trust: how trust is measured: `k`, `samples` and `seeds` of `TrustOptions`.
        options: of the method, such as `n_neighbors` and `min_dist` of UMAP, or `perplexity`.

    Raises:
        LatentmapError: a value is not finite, or an option is unknown.

    Examples:
        >>> import numpy as np
        >>> import latentmap as lm
        >>> X = np.random.default_rng(0).normal(size=(40, 6))
        >>> found = lm.project(X, "pca", dims=3)
        >>> found.coordinates.shape, found.to_polars().columns[:4]
        ((40, 3), ['x', 'y', 'z', 'trustworthiness'])
    """
    values = rows_of(X)
    if not isinstance(method, Projection):
        options = {"dims": dims, "seed": random_state, **options}
    projection = PROJECTIONS.made(method, options)
    search = checked(NeighborOptions, k=k, metric=metric, seed=random_state)
    graph = graph_of(values, groups_of(None, X, len(values)), search)
    near = compact(values, graph)
    layout = lay_out(lambda: near, graph, projection)
    how = checked(TrustOptions, **(trust or {}))
    rows = evenly_spaced(len(values), how.samples)
    quality = assess(near, [layout.coordinates], how.k, rows)[0]
    spread = Repeated(lambda: near, graph).spread(projection, layout.coordinates, how.seeds)
    told = trust_facts(quality, spread, how.seeds, layout.facts.get("neighbors"), metric)
    facts = {**layout.facts, "projection": described(projection), "metric": metric, "trust": told}
    return Map(layout.coordinates, facts, trust_columns(quality, spread))
