"""Runs that are made up, as the stages before an explorer leave them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from latentmap.metrics.density import local_density, write_sampling_weights
from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import NeighborGraph, NeighborList, write_graph
from latentmap.pool.method import METHODS
from latentmap.project.quality import MapQuality, write_trust
from latentmap.report.labels import collect_labels
from latentmap.store import results as book
from latentmap.store.files import write_json
from latentmap.store.latents import write_latents
from latentmap.store.manifest import Shard, name_run, write_manifest
from latentmap.store.maps import write_map
from latentmap.store.results import EncoderFacts, Results, RunFacts, write_run_facts
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_parquet
from latentmap.targets.facts import TargetFacts, write_facts

SHARD = 4096
CLUSTERS = 60
K = 15
EXACT = 3000
"""Up to so many samples have their true neighbors; more have those along one axis."""

METRIC = "knn_category_acc_grouped"
OUTLYING = (
    "centroid_distance",
    "prototype_distance",
    "prototype_margin",
    "neighbor_disagreement",
)
WORDS = np.array(
    ["what", "is", "the", "name", "of", "a", "river", "through", "two", "old", "towns"]
)


@dataclass
class Planted:
    """A run to plant.

    Attributes:
        folder: of the run.
        count: number of samples.
        dims: of each map.
        methods: of the one encoder, best first; the second encoder is a baseline with one.
        pictures: whether samples have them; two samples share one.
        side: of a picture in pixels.
        words: of a text.
        columns: further columns of samples.
        annotations: columns of annotations.
        options: of the explorer.
        labelled: whether samples have labels.
        latents: (N, C, H, W) of the samples; those of the first encoder are pooled from them.
        boxed: whether samples have up to two boxes that differ between them.
        image_url: where pictures are, as the configuration has it.
        reference: name of the run beside this one into whose maps the samples were placed.
        targets: (N,) numbers or texts of targets, by their names; of numbers every probe predicts
            one less than is true.
    """

    folder: Path
    count: int = 300
    dims: dict[str, int] = field(default_factory=lambda: {"umap": 2, "pca": 2, "umap3d": 3})
    methods: tuple[str, ...] = ("mean", "max")
    pictures: bool = False
    side: int = 48
    words: int = 12
    columns: dict[str, list[Any]] = field(default_factory=dict)
    annotations: dict[str, list[Any]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    labelled: bool = True
    latents: np.ndarray | None = None
    reference: str | None = None
    targets: dict[str, list[Any]] = field(default_factory=dict)
    image_url: str | None = None
    boxed: bool = False

    def write(self) -> Results:
        """Write the run."""
        rng = np.random.default_rng(0)
        sizes = np.sort(rng.pareto(1.0, CLUSTERS) + 1)
        self.labels = rng.choice(CLUSTERS, self.count, p=sizes / sizes.sum())
        centres = rng.normal(scale=6, size=(CLUSTERS, 8))
        self.values = (centres[self.labels] + rng.normal(size=(self.count, 8))).astype(np.float32)
        self.ids = [f"sample-{row:06}" for row in range(self.count)]
        self.groups = [f"group-{row // 3}" for row in range(self.count)]
        results = self.results
        write_run_facts(results.address(book.RUN), results.facts)
        name_run(self.folder)
        self._write_samples(results)
        for number, key in enumerate(results.methods):
            self._write_method(results, key, rng, 1 - number / 10)
        self._write_ranking(results)
        if self.annotations:
            table = pa.table({"id": self.ids, **self.annotations})
            write_parquet(results.address(book.ANNOTATIONS), table)
        if self.targets:
            self._write_targets(results)
        collect_labels(results.paths(book.SAMPLES), {}, results.address(book.LABELS))
        return results

    @property
    def results(self) -> Results:
        """The run."""
        encoders = [("tower", False, list(self.methods)), ("dct", True, ["mean"])]
        facts = tuple(
            EncoderFacts(name, name, baseline, not baseline, methods, methods, methods, {})
            for name, baseline, methods in encoders
        )
        config = {
            "run": self.folder.name,
            "variants": ["plain"],
            "annotations": [{"path": "a.csv"}] if self.annotations else [],
            "reference_run": self.reference,
            "targets": list(self.targets),
            "samples": {"sources": [{"name": "planted"}]},
            "projections": {name: {"kind": name.removesuffix("3d")} for name in self.dims},
            "draw": {"colors": ["#FF0000", "#0000FF"]},
            "outliers": {"k": 10},
            "report": {"image_url": self.image_url},
            "explorer": {"pictures": True, "text": True, "neighbors": 12, **self.options},
        }
        return Results(self.folder, RunFacts(config, facts, self.dims, labelled=self.labelled))

    def _write_targets(self, results: Results) -> None:
        table = pa.table({"id": self.ids, **self.targets})
        write_parquet(results.address(book.TARGETS), table)
        numbers = {
            name: table[name]
            for name in self.targets
            if pa.types.is_floating(table[name].type) or pa.types.is_integer(table[name].type)
        }
        facts = [
            TargetFacts(
                name,
                f"The {name}",
                "continuous" if name in numbers else "categorical",
                "planted",
                name,
                self.count,
                unit="metres" if name in numbers else "",
            )
            for name in self.targets
        ]
        write_facts(results.address(book.TARGET_FACTS), facts)
        told = {
            name: [None if value is None else value - 1 for value in column.to_pylist()]
            for name, column in numbers.items()
        }
        guesses = pa.table({"id": self.ids, **told})
        kept = pa.table(
            {
                "target": list(numbers),
                "metric": ["ridge_r2"] * len(numbers),
                "p": [0.01] * len(numbers),
            }
        )
        for key in results.methods:
            write_parquet(results.address(book.PREDICTIONS, *key), guesses)
            write_parquet(results.address(book.KEPT, *key), kept)

    def _write_samples(self, results: Results) -> None:
        shards = []
        for number, start in enumerate(range(0, self.count, SHARD)):
            rows = range(start, min(start + SHARD, self.count))
            name = f"{number:04}-{number:016x}"
            table = self._samples(rows)
            write_arrow(results.address(book.SAMPLES, name), table)
            jpegs = [_jpeg(row // 2, 48) if self.pictures else None for row in rows]
            for encoder in ("tower", "dct"):
                self._write_latents(results.address(book.LATENTS, encoder, "plain", name), rows)
            thumbnails = pa.table({"id": table["id"], "jpeg": pa.array(jpegs, pa.binary())})
            write_arrow(results.address(book.THUMBNAILS, name), thumbnails)
            shards.append(Shard(name, len(rows), 0, "0" * 16))
        write_manifest(results.address(book.MANIFEST), shards)

    def _write_latents(self, path: Path, rows: range) -> None:
        values = np.zeros((self.count, 2, 1, 1), np.float32)
        values = values if self.latents is None else self.latents
        write_latents(path, [self.ids[row] for row in rows], values[rows.start : rows.stop], {})

    def _samples(self, rows: range) -> pa.Table:
        labels = [f"label {self.labels[row]}" if self.labelled else None for row in rows]
        size = self.side if self.pictures else None
        columns = {
            "id": [self.ids[row] for row in rows],
            "source": ["planted"] * len(rows),
            "label": labels,
            "label_group": labels,
            "source_group": [self.groups[row] for row in rows],
            "text": list(texts_of(rows, self.words)),
            "boxes": [self._boxes(row) for row in rows],
            "width": [size] * len(rows),
            "height": [size] * len(rows),
            "image": [_jpeg(row // 2, self.side) if self.pictures else None for row in rows],
            "digest": ["0" * 16] * len(rows),
        }
        table = pa.table(columns, schema=SCHEMA)
        for name, values in self.columns.items():
            table = table.append_column(name, [[values[row] for row in rows]])
        return table

    def _boxes(self, row: int) -> list[list[float]]:
        """Return a sample's boxes: one in every picture, or up to two that differ."""
        if not self.pictures:
            return []
        if not self.boxed:
            return [[1.0, 2.0, 30.0, 40.0]]
        moved = [[row % 7, 2.0, 9.0 + row % 5, 40.0], [0.0, row % 11, 30.0, 47.0 - row % 3]]
        return moved[: row % 3]

    def _write_method(self, results: Results, key: book.Key, rng: Any, value: float) -> None:
        if self.latents is not None and key[0] == "tower":
            pooling = METHODS.create(key[2])
            regions = [
                np.array(self._boxes(row)).reshape(-1, 4) / self.side for row in range(self.count)
            ]
            self.values = pooling.pool(self.latents.astype(np.float32), regions)
        graph = self._graph()
        write_graph(results.address(book.NEIGHBORS, *key), graph)
        density = local_density(graph, min(10, graph.every.k))
        weights = results.address(book.SAMPLING_WEIGHTS, *key)
        write_sampling_weights(weights, self.ids, density, 10, graph.exactness)
        for name, dims in self.dims.items():
            wide = self.values.shape[1]
            turned = np.linalg.qr(rng.normal(size=(wide, wide)))[0][:, :dims]
            places = (self.values @ turned).astype(np.float32)
            write_map(results.address(book.PROJECTION, *key, name), self.ids, places, {})
            shares = rng.uniform(0.5, 1, (4, self.count))
            quality = MapQuality(*shares, k=K)
            moved = np.full(self.count, np.nan)
            write_trust(results.address(book.TRUST, *key, name), self.ids, quality, moved, 0)
        if self.labelled:
            scores = {name: rng.normal(size=self.count).astype(np.float32) for name in OUTLYING}
            outliers = results.address(book.OUTLIERS, *key)
            write_parquet(outliers, pa.table({"id": self.ids, **scores}))
        metrics = {
            METRIC: {"value": value, "chance": 0.1, "interval": [value - 0.1, value + 0.1]},
            "n_dimensions": {"value": 8.0, "chance": None},
        }
        write_json(results.address(book.METRICS, *key), {"metrics": metrics})
        if self.reference:
            regions = {"centres": [[0.0, 1.0], [2.0, 3.0]], "shares": [[0.5, 0.25], [0.5, 0.75]]}
            compared = {
                "sources": [{"name": f"{self.reference} (reference)"}, {"name": "planted"}],
                "maps": {"umap": {**regions, "p_adjusted": [None, None]}},
            }
            write_json(results.address(book.SOURCE_METRICS, *key), compared)

    def _graph(self) -> NeighborGraph:
        if self.count <= EXACT:
            return find_neighbors(self.ids, self.values, self.groups, K)
        order = np.argsort(self.values[:, 0]).astype(np.int32)
        place = np.argsort(order)
        steps = np.arange(1, K + 1)
        rows = order[(place[:, np.newaxis] + steps) % self.count]
        gaps = np.linalg.norm(self.values[rows[:, :1]] - self.values[:, np.newaxis], axis=2)
        listed = NeighborList(rows, (gaps * steps).astype(np.float32))
        return NeighborGraph(self.ids, listed, listed)

    def _write_ranking(self, results: Results) -> None:
        rows = [
            {
                **dict(zip(("encoder", "variant", "method"), key, strict=True)),
                "value": 1 - place / 10,
                "interval": [0.9 - place / 10, 1.1 - place / 10],
                "may_be_best": place == 0,
            }
            for place, key in enumerate(results.methods)
        ]
        ranking = {"metric": METRIC, "scopes": [{"ranking": rows if self.labelled else []}]}
        write_json(results.address(book.RANKING), ranking)


def texts_of(rows: range, words: int) -> Iterator[str]:
    """Yield the text of each sample."""
    for row in rows:
        yield " ".join(WORDS[np.random.default_rng(row).integers(0, len(WORDS), words)])


@cache
def _jpeg(number: int, side: int) -> bytes:
    noise = np.random.default_rng(number).integers(0, 255, (side // 8, side // 8, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).resize((side, side)).save(stream, "JPEG", quality=95)
    return stream.getvalue()
