"""A small run with planted metrics and hostile text, as the stages before the report leave it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from latentmap.encode.calibration import StatedStatistics, calibrate
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import HEADLINE, Key
from latentmap.metrics.ranking import RankedMethods
from latentmap.project.quality import MapQuality, write_trust
from latentmap.report.comparison_page import write_comparison_page, write_maps_page
from latentmap.report.labels import collect_labels
from latentmap.report.method_page import write_method_pages
from latentmap.report.options import ReportOptions
from latentmap.report.summary import write_summary
from latentmap.report.table import write_metrics_table
from latentmap.samples.annotations import AnnotationOptions, join_annotations
from latentmap.store.files import write_json, write_stamped_text
from latentmap.store.latents import write_latents
from latentmap.store.manifest import Shard, write_manifest
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_parquet

HOSTILE = "</script><img src=x onerror=alert(1)>"
LONG = "a label of many words, " * 12
GROUPS = {
    "Size": ("#E69F00", ["big_predicate", LONG, "tall.choice", HOSTILE]),
    "Depth": (None, ["constructor", "__proto__"]),
    "Horizontal": (None, ["null", 'it\'s "q" \\', "left[0]choice"]),
    "toString": (None, ["hasOwnProperty", "undefined"]),
}
LABEL_TO_GROUP = {label: group for group, (_, labels) in GROUPS.items() for label in labels}
LABELS = list(LABEL_TO_GROUP)
METHODS = ("mean", "max", "min", "std", "meanstd", "patch4", "patch8", "flatten", "range")
MAPPED = ("mean", "patch4")
ENCODERS = ("tiny-vae", "dct")
PROJECTIONS = ("umap", "tsne3d")
VARIANTS = ("plain", "boxes")
SHARDS = (40, 30)


@dataclass
class FakeRun:
    """Paths of the files of one run, and what they say."""

    folder: Path
    samples: list[Path] = field(default_factory=list)
    thumbnails: list[Path] = field(default_factory=list)
    latents: dict[tuple[str, str], list[Path]] = field(default_factory=dict)
    metrics: dict[tuple[str, str, str], Path] = field(default_factory=dict)
    agreements: dict[tuple[str, str], Path] = field(default_factory=dict)
    map_agreements: dict[tuple[str, str], Path] = field(default_factory=dict)
    projections: dict[tuple[str, str, str, str], Path] = field(default_factory=dict)
    trust: dict[tuple[str, str, str, str], Path] = field(default_factory=dict)
    weights: dict[tuple[str, str, str], Path] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return [f"sample_{row:03d}" for row in range(sum(SHARDS))]

    @property
    def labels(self) -> list[str]:
        return [LABELS[row % len(LABELS)] for row in range(sum(SHARDS))]

    @property
    def label_groups(self) -> dict[str, str | None]:
        return {group: color for group, (color, _) in GROUPS.items()}

    @property
    def labels_file(self) -> Path:
        return self.folder / "report/labels.json"

    @property
    def report(self) -> Path:
        return self.folder / "report"

    @property
    def summary(self) -> Path:
        return self.report / "summary_report.html"

    @property
    def ranking(self) -> Path:
        return self.folder / "metrics/ranking.json"

    @property
    def annotations(self) -> Path:
        return self.folder / "samples/annotations.parquet"

    @property
    def bundle(self) -> Path:
        return self.folder / "vega.js"

    def page(self, encoder: str, variant: str, *parts: str) -> Path:
        return self.report.joinpath(encoder, variant, *parts)


@pytest.fixture(scope="session")
def bundle_writer() -> Callable[[Path], object]:
    """A small script instead of Vega: what no browser opens needs no charts."""
    return lambda path: write_stamped_text(path, "/* Vega ", " */")


@pytest.fixture(scope="session")
def fake_run(
    tmp_path_factory: pytest.TempPathFactory, bundle_writer: Callable[[Path], object]
) -> FakeRun:
    """The inputs of the report."""
    run = FakeRun(tmp_path_factory.mktemp("run"))
    _write_samples(run)
    for encoder, variant in product(ENCODERS, VARIANTS):
        run.latents[encoder, variant] = _write_latents(run, encoder, variant)
        _write_agreements(run, encoder, variant)
        for method in METHODS:
            path = run.folder / f"metrics/{encoder}/{variant}/{method}.json"
            write_json(path, _metrics(encoder, variant, method))
            run.metrics[encoder, variant, method] = path
        for method, projection in product(MAPPED, PROJECTIONS):
            path = run.folder / f"projections/{encoder}/{variant}/{method}/{projection}.parquet"
            _write_projection(run, path, projection)
            run.projections[encoder, variant, method, projection] = path
            trusted = path.with_suffix(".trust.parquet")
            write_trust(trusted, run.ids, _quality(), np.full(sum(SHARDS), 0.25), 2)
            run.trust[encoder, variant, method, projection] = trusted
        for method in MAPPED:
            path = run.folder / f"metrics/{encoder}/{variant}/{method}.sampling_weights.parquet"
            _write_weights(run, path)
            run.weights[encoder, variant, method] = path
    _write_annotations(run)
    _write_ranking(run)
    collect_labels(run.samples, run.label_groups, run.labels_file)
    bundle_writer(run.bundle)
    return run


@pytest.fixture(scope="session")
def report(fake_run: FakeRun) -> FakeRun:
    """The run with all pages of its report written."""
    write_report(fake_run)
    return fake_run


@pytest.fixture
def write_pages() -> Callable[[FakeRun], None]:
    """The function that writes all pages."""
    return write_report


def write_report(run: FakeRun) -> None:
    common = {"bundle": run.bundle, "home": run.summary}
    maps = {
        "samples": run.samples,
        "thumbnails": run.thumbnails,
        "annotations": run.annotations,
        "labels": run.labels_file,
        "options": ReportOptions(),
    }
    tables = {kind: run.report / f"metrics_table.{kind}" for kind in ("csv", "json", "parquet")}
    write_metrics_table(
        list(run.metrics),
        list(run.metrics.values()),
        copies=[run.page(*key[:2], "per_method", key[2], "metrics.json") for key in run.metrics],
        **tables,
    )
    map_pages = {}
    for encoder, variant in product(ENCODERS, VARIANTS):
        for method in MAPPED:
            folder = run.page(encoder, variant, "per_method", method)
            pages = {name: folder / f"{name}.html" for name in PROJECTIONS}
            map_pages |= {(encoder, variant, method, name): pages[name] for name in PROJECTIONS}
            write_method_pages(
                (encoder, variant, method),
                metrics=run.metrics[encoder, variant, method],
                projections={
                    name: run.projections[encoder, variant, method, name] for name in PROJECTIONS
                },
                trust={name: run.trust[encoder, variant, method, name] for name in PROJECTIONS},
                weights=run.weights[encoder, variant, method],
                pages=pages,
                **maps,
                **common,
            )
    encoder, variant = ENCODERS[0], VARIANTS[0]
    compared = {
        key: path
        for key, path in run.metrics.items()
        if key[:2] == (encoder, variant) or key[:2] == ("dct", variant)
    }
    comparisons = {}
    for chart in ("metric_bars", "category_heatmap", "pareto_frontier", "radar_chart"):
        comparisons[encoder, variant, chart] = run.page(
            encoder, variant, "comparisons", f"{chart}.html"
        )
        write_comparison_page(
            chart,
            comparisons[encoder, variant, chart],
            encoder=encoder,
            variant=variant,
            keys=list(compared),
            metrics=list(compared.values()),
            agreement=run.agreements[encoder, variant],
            map_agreement=run.map_agreements[encoder, variant],
            labels=run.labels_file,
            **common,
        )
    own = [key for key in run.projections if key[:2] == (encoder, variant)]
    comparisons[encoder, variant, "maps"] = run.page(encoder, variant, "comparisons", "maps.html")
    write_maps_page(
        comparisons[encoder, variant, "maps"],
        encoder=encoder,
        variant=variant,
        maps=[key[2:] for key in own],
        projections=[run.projections[key] for key in own],
        trust=[run.trust[key] for key in own],
        weights=[run.weights[key[:3]] for key in own],
        **maps,
        **common,
    )
    write_summary(
        run.summary,
        config={"run": "fake", "variants": list(VARIANTS), "note": HOSTILE, "headline": HEADLINE},
        baselines=["dct"],
        manifest=run.folder / "samples/manifest.json",
        quarantine=run.folder / "samples/quarantine.parquet",
        latents=run.latents,
        keys=list(run.metrics),
        metrics=list(run.metrics.values()),
        ranking=run.ranking,
        agreements=run.agreements,
        sources={},
        map_keys=list(map_pages),
        projections=[run.projections[key] for key in map_pages],
        trust=[run.trust[key] for key in map_pages],
        weights=[run.weights[key[:3]] for key in map_pages],
        map_pages=list(map_pages.values()),
        comparisons=comparisons,
        tables=list(tables.values()),
        left_out={"dct": {"patch16": "needs 16 positions a side, and the latents have 8 × 8"}},
        revisions={"tiny-vae": "0a1b2c3d", "dct": ""},
        commit="c0ffee",
        bundle=run.bundle,
        **maps,
    )


def _write_samples(run: FakeRun) -> None:
    start = 0
    manifest = []
    for number, count in enumerate(SHARDS):
        rows = range(start, start + count)
        start += count
        labels = [run.labels[row] for row in rows]
        table = pa.table(
            {
                "id": [run.ids[row] for row in rows],
                "source": ["fake"] * count,
                "label": labels,
                "label_group": [LABEL_TO_GROUP[label] for label in labels],
                "source_group": [f"image {row // 3}" for row in rows],
                "text": [f"Is Region [0] {HOSTILE} of Region [1]?" for _ in rows],
                "boxes": [[] for _ in rows],
                "width": [64] * count,
                "height": [48] * count,
                "image": [b""] * count,
                "digest": ["0" * 16] * count,
            },
            schema=SCHEMA,
        )
        run.samples.append(run.folder / f"samples/{number:04d}.arrow")
        write_arrow(run.samples[-1], table)
        jpegs = [None if row == 0 else _jpeg(row // 3) for row in rows]
        thumbnails = pa.table({"id": table["id"], "jpeg": pa.array(jpegs, pa.binary())})
        run.thumbnails.append(run.folder / f"thumbnails/{number:04d}.arrow")
        write_arrow(run.thumbnails[-1], thumbnails)
        manifest.append(Shard(f"{number:04d}", count, 1, "0123456789abcdef"))
    write_manifest(run.folder / "samples/manifest.json", manifest)
    quarantine = pa.table(
        {
            "source": ["fake"] * 4,
            "file": ["a.png", "b.png", "c.png", "images"],
            "row": [1, 2, 3, None],
            "id": ["a", "b", "c", None],
            "digest": ["0", "0", "0", ""],
            "action": ["quarantined", "quarantined", "repaired", "passed over"],
            "count": [1, 1, 1, 7],
            "reason": ["image is truncated", "image is truncated", "box is inverted", ".md files"],
            "remedy": [None, None, "swapped", "none"],
        }
    )
    write_parquet(run.folder / "samples/quarantine.parquet", quarantine)


def _jpeg(image: int) -> bytes:
    color = tuple(np.random.default_rng(image).integers(0, 255, 3).tolist())
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(stream, "JPEG")
    return stream.getvalue()


def _write_latents(run: FakeRun, encoder: str, variant: str) -> list[Path]:
    """Latents whose channel means are right, except those of the VAE's boxes."""
    mean = 6.0 if (encoder, variant) == ("tiny-vae", "boxes") else 0.1
    latents = np.full((sum(SHARDS), 2, 1, 1), mean, np.float32)
    calibration = calibrate(latents, StatedStatistics((0.0, 0.0), (1.0, 1.0)))
    path = run.folder / f"latents/{encoder}/{variant}/0000.arrow"
    write_latents(path, run.ids, latents, {"calibration": calibration.to_json()})
    return [path]


def _metrics(encoder: str, variant: str, method: str) -> dict[str, object]:
    """Metrics that fall from method to method; the VAE beats the DCT on plain images only."""
    rank = METHODS.index(method)
    value = 0.30 - 0.02 * rank
    if encoder == "dct":
        value -= 0.05 if variant == "plain" else -0.05
    metrics: dict[str, dict[str, object]] = {
        "knn_category_acc": {"value": value + 0.1 + 0.03 * rank, "chance": 0.095},
        "knn_category_acc_grouped": {
            "value": value,
            "chance": 0.09,
            "chance_range": [0.07, 0.11],
            "interval": [value - 0.02, value + 0.02],
            "p_value": 0.001 if value > 0.16 else 0.2,
        },
        "knn_group_acc": {"value": value + 0.3, "chance": 0.27},
        "knn_group_acc_grouped": {"value": value + 0.2, "chance": 0.26},
        "silhouette": {"value": -0.2 + value / 4},
        "f_ratio": {"value": 3 * value},
        "davies_bouldin": {"value": 10 - 5 * value},
        "distance_ratio": {"value": 1 + value / 5},
        "effective_dim_90": {"value": 3 + 40 * rank},
        "n_dimensions": {"value": 16 * 4**rank},
        "n_tokens": {"value": 2**rank},
        "calinski_harabasz": {"value": None, "note": "fewer samples than labels"},
    }
    fields = ("chance", "chance_range", "interval", "p_value", "note")
    for entry in metrics.values():
        entry |= {key: entry.get(key) for key in fields}
    labels = {
        label: {
            "n": 6 + position % 3,
            "knn_category_rate": value + 0.2 * ((position + rank) % 4) / 4,
            "knn_category_rate_grouped": value * ((position + rank) % 4) / 3,
            "knn_category_chance": 0.1,
            "knn_category_chance_grouped": 0.08 + 0.01 * (position % 3),
        }
        for position, label in enumerate(LABELS)
    }
    graph = {"exact": True, "metric": "euclidean", "zero_rows": 0}
    return {"neighbors": graph, "metrics": metrics, "labels": labels}


def _write_agreements(run: FakeRun, encoder: str, variant: str) -> None:
    """Two methods that are the same, and others that agree less the further apart they rank."""

    def table(methods: tuple[str, ...]) -> dict[str, object]:
        ranks = np.array([min(METHODS.index(method), 7) for method in methods])
        values = 0.6 ** np.abs(ranks[:, np.newaxis] - ranks)
        level = np.full_like(values, 0.1)
        numbers = {"values": values, "chance": level, "limit": level + 0.05}
        return {"methods": methods} | {name: array.tolist() for name, array in numbers.items()}

    whole = {"samples": sum(SHARDS), "of": sum(SHARDS)}
    tables = {name: table(METHODS) for name in ("jaccard", "cka")}
    run.agreements[encoder, variant] = run.folder / f"metrics/{encoder}/{variant}/agreement.json"
    write_json(
        run.agreements[encoder, variant],
        {"tables": tables, "duplicates": [["flatten", "range"]], **whole},
    )
    maps = run.folder / f"projections/{encoder}/{variant}/agreement.json"
    run.map_agreements[encoder, variant] = maps
    write_json(maps, {"tables": {name: table(MAPPED) for name in PROJECTIONS}, **whole})


def _write_ranking(run: FakeRun) -> None:
    """Scores whose means are in the order of the metrics."""
    keys = [Key(*key) for key in run.metrics]
    metrics = [_metrics(*key)["metrics"]["knn_category_acc_grouped"] for key in keys]
    noise = np.random.default_rng(0).normal(scale=0.1, size=(sum(SHARDS), len(keys)))
    scores = noise - noise.mean(axis=0) + [metric["value"] for metric in metrics]
    methods = RankedMethods(
        "knn_category_acc_grouped",
        keys,
        scores,
        [{"knn_category_acc_grouped": metric["p_value"]} for metric in metrics],
        np.arange(sum(SHARDS)) // 3,
        StatisticsOptions(resamples=100),
    )
    write_json(run.ranking, methods.describe(["dct"]))


def _write_projection(run: FakeRun, path: Path, projection: str) -> None:
    """One cluster for each label, on a circle."""
    rng = np.random.default_rng(len(str(path.name)))
    codes = np.array([LABELS.index(label) for label in run.labels])
    angle = 2 * np.pi * codes / len(LABELS)
    places = np.stack([np.cos(angle), np.sin(angle), codes / 10], axis=1)
    places = (10 * places + rng.normal(size=places.shape)).astype(np.float32)
    columns = {axis: places[:, i] for i, axis in enumerate("xyz"[: 3 if "3d" in projection else 2])}
    write_parquet(path, pa.table({"id": run.ids, **columns}))


def _write_weights(run: FakeRun, path: Path) -> None:
    """Every sample is denser than the one before."""
    percentile = np.linspace(0, 100, sum(SHARDS)).astype(np.float32)
    write_parquet(path, pa.table({"id": run.ids, "percentile": percentile}))


def _write_annotations(run: FakeRun) -> None:
    """Samples of Depth are wrong, others right, the last ten neither; one text is hostile."""
    predictions = run.folder / "predictions.csv"
    rows = [
        f'{sample},{"wrong" if LABEL_TO_GROUP[label] == "Depth" else "right"},{row % 3},"{text}"'
        for row, (sample, label) in enumerate(zip(run.ids[:60], run.labels, strict=False))
        for text in [HOSTILE if row else "<b>bold</b>"]
    ]
    text = "\n".join(["id,judged,score,title", *rows, "stranger,right,0,", "s,broken"])
    predictions.write_text(text)
    join_annotations([AnnotationOptions(path=str(predictions))], run.samples, run.annotations)


def _quality() -> MapQuality:
    """Trust in the samples of `tall.choice` is 0.55, in all others 0.95; the first has none."""
    trustworthiness = np.where(np.arange(sum(SHARDS)) % len(LABELS) == 2, 0.55, 0.95)
    trustworthiness[0] = np.nan
    same = np.ones(sum(SHARDS))
    return MapQuality(trustworthiness, 0.97 * same, 0.4 * same, same, 15)
