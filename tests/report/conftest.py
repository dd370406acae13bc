"""A small run with planted metrics and hostile text, as the stages before the report leave it."""

from __future__ import annotations

import html
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from latentmap.encode.calibration import StatedStatistics, calibrate
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import HEADLINE, Key
from latentmap.metrics.ranking import RankedMethods
from latentmap.neighbors.exact import find_neighbors
from latentmap.neighbors.graph import write_graph
from latentmap.project.quality import MapQuality, write_trust
from latentmap.report.assets import write_page_files
from latentmap.report.embedded import unpacked
from latentmap.report.labels import collect_labels
from latentmap.report.measures import OF_OUTLIERS
from latentmap.report.page import PAGES, listed_pages
from latentmap.report.pictures import write_picture_names
from latentmap.report.table import write_metrics_table
from latentmap.samples.annotations import AnnotationOptions, join_annotations
from latentmap.store import results as book
from latentmap.store.files import write_json, write_stamped_text
from latentmap.store.latents import write_latents
from latentmap.store.manifest import Shard, write_manifest
from latentmap.store.results import Artifact, EncoderFacts, Results, RunFacts
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow, write_embedding, write_parquet

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


SOURCE = {"kind": "scenes", "name": "fake"}
CONFIG = {
    "run": "fake",
    "variants": list(VARIANTS),
    "encoders": [{"kind": name, "name": name} for name in ENCODERS],
    "note": HOSTILE,
    "headline": HEADLINE,
    "samples": {"sources": [SOURCE]},
    "annotations": [{"path": "predictions.csv"}],
    "reference_run": None,
    "metrics": {"knn_category": {"k": 10}},
    "neighbors": {"k": 10},
    "report": {
        "side_by_side": True,
        "max_points": 5000,
        "color_by": "group",
        "pictures": 1024,
        "image_url": None,
    },
}


def encoder_facts(name: str, **changes: object) -> EncoderFacts:
    """What the fake run says of one encoder."""
    facts = EncoderFacts(
        name=name,
        kind=name,
        is_baseline=name == "dct",
        has_channels=False,
        methods=list(METHODS),
        compared=list(METHODS),
        mapped=list(MAPPED),
        left_out={},
    )
    return replace(facts, **changes)


SMALL = {"patch16": "needs 16 positions a side, and the latents have 8 × 8"}
FACTS = RunFacts(
    config=CONFIG,
    encoders=(encoder_facts("tiny-vae"), encoder_facts("dct", left_out=SMALL)),
    dims={"umap": 2, "tsne3d": 3},
    labelled=True,
    revisions={"tiny-vae": "0a1b2c3d", "dct": ""},
    origins={"tiny-vae": {"checkpoint": "/ckpt/<3>.pt"}, "dct": {}},
)


def titled(page: str) -> str:
    """Return a page whose cells have the titles that its script gives them."""
    titles = iter(unpacked(re.search(r'id="titles">([^<]*)<', page)[1]))
    return re.sub(" data-titled", lambda _: f' title="{html.escape(next(titles))}"', page)


@dataclass
class FakeRun:
    """The files of one run, and what they say."""

    folder: Path
    facts: RunFacts = FACTS

    def copy(self, folder: Path, **config: object) -> FakeRun:
        """Copy the run, for a test that changes it, with other options."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return FakeRun(folder, replace(self.facts, config={**self.facts.config, **config}))

    @property
    def results(self) -> Results:
        return Results(self.folder, self.facts)

    def write(self, kind: str, *key: str) -> str:
        """Write the pages of one job; return the first of them with this key."""
        page, results = PAGES.create(kind), self.results
        page.write(results, **dict(zip(page.scope.value, key, strict=False)))
        where = dict(zip(page.file.wildcards, key, strict=False))
        return titled(results.address(page.file, *results.keys(page.file, **where)[0]).read_text())

    def _files(self, artifact: Artifact) -> dict[tuple[str, ...], Path]:
        return {key: self.results.path(artifact, *key) for key in self.results.keys(artifact)}

    @property
    def samples(self) -> list[Path]:
        return self.results.paths(book.SAMPLES)

    @property
    def thumbnails(self) -> list[Path]:
        return self.results.paths(book.THUMBNAILS)

    @property
    def metrics(self) -> dict[tuple[str, ...], Path]:
        return self._files(book.METRICS)

    @property
    def agreements(self) -> dict[tuple[str, ...], Path]:
        return self._files(book.AGREEMENT)

    @property
    def map_agreements(self) -> dict[tuple[str, ...], Path]:
        return self._files(book.MAP_AGREEMENT)

    @property
    def projections(self) -> dict[tuple[str, ...], Path]:
        return self._files(book.PROJECTION)

    @property
    def trust(self) -> dict[tuple[str, ...], Path]:
        return self._files(book.TRUST)

    @property
    def weights(self) -> dict[tuple[str, ...], Path]:
        return self._files(book.SAMPLING_WEIGHTS.over("mapped"))

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
        return self.results.path(book.LABELS)

    @property
    def report(self) -> Path:
        return self.folder / "report"

    @property
    def summary(self) -> Path:
        return self.results.path(book.SUMMARY)

    @property
    def annotations(self) -> Path:
        return self.results.path(book.ANNOTATIONS)

    def page(self, encoder: str, variant: str, *parts: str) -> Path:
        return self.report.joinpath(encoder, variant, *parts)


@pytest.fixture(scope="session")
def vega_writer() -> Callable[[Path], object]:
    """A small script instead of Vega: what no browser opens needs no charts."""
    return lambda path: write_stamped_text(path, "/* Vega */\n// ", "\n")


@pytest.fixture(scope="session")
def fake_run(
    tmp_path_factory: pytest.TempPathFactory, vega_writer: Callable[[Path], object]
) -> FakeRun:
    """The inputs of the report."""
    run = FakeRun(tmp_path_factory.mktemp("fake"))
    _write_samples(run)
    for (encoder, variant, shard), path in run._files(book.LATENTS).items():
        _write_latents(run, encoder, variant, int(shard), path)
    for encoder, variant in run.results.latents:
        _write_agreements(run, encoder, variant)
    for key, path in run.metrics.items():
        write_json(path, _metrics(*key))
        _write_embedding(run, key)
    for key, path in run.projections.items():
        _write_projection(run, path, key[3])
    for path in run.trust.values():
        write_trust(path, run.ids, _quality(), np.full(sum(SHARDS), 0.25), 2)
    for path in run.weights.values():
        _write_weights(run, path)
    for path in run.results.paths(book.OUTLIERS):
        _write_outliers(run, path)
    _write_annotations(run)
    _write_ranking(run)
    for key in run.results.keys(book.LEARNING):
        write_json(run.results.path(book.LEARNING, *key), _learning())
    collect_labels(run.samples, run.label_groups, run.labels_file)
    vega_writer(run.results.path(book.VEGA))
    write_page_files(run.results)
    write_picture_names(run.results)
    return run


@pytest.fixture(name="titled", scope="session")
def titled_fixture() -> Callable[[str], str]:
    return titled


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
    tables = {
        kind: run.results.path(table)
        for kind, table in (
            ("csv", book.METRICS_CSV),
            ("json", book.METRICS_JSON),
            ("parquet", book.METRICS_PARQUET),
        )
    }
    write_metrics_table(
        list(run.metrics),
        list(run.metrics.values()),
        {name: f"What {name} does." for name in METHODS},
        copies=run.results.paths(book.REPORTED_METRICS),
        **tables,
    )
    for page in listed_pages():
        names = page.scope.value
        for job in dict.fromkeys(key[: len(names)] for key in run.results.keys(page.file)):
            page.write(run.results, **dict(zip(names, job, strict=True)))


TARGETS = (
    ("label", "label", "labels", "categorical", ""),
    ("boxes.x", "Centre of the box, x", "position of a box", "continuous", "widths"),
    ("boxes.y", HOSTILE, "position of a box", "continuous", "heights"),
    ("constructor", "Colour", HOSTILE, "categorical", ""),
    ("clock", "Clock direction", "position of a box", "circular", "degrees"),
)
METRIC_OF_KIND = {
    "categorical": "ridge_balanced",
    "continuous": "ridge_r2",
    "circular": "ridge_cosine",
}
TURNED = 20
"""Degrees by which every predicted direction is beyond the true one."""

SPATIAL = ("patch4", "patch8", "flatten")


@pytest.fixture(scope="session")
def targeted_run(fake_run: FakeRun, tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    """The run with targets: methods that keep places keep the box, all of the VAE the colour."""
    run = fake_run.copy(tmp_path_factory.mktemp("targeted"), targets=["label"])
    names = ("name", "title", "family", "kind", "unit")
    facts = {"count": 60, "values": [], "unreadable": 0, "note": None, "source": "boxes"}
    targets = [facts | dict(zip(names, target, strict=True)) for target in TARGETS]
    write_json(run.results.path(book.TARGET_FACTS), {"targets": targets})
    notes = {"source": "fake", "file": "a.json", "row": 3, "id": "a", "digest": "0"}
    notes |= {"action": "noted", "count": 2, "code": "target", "remedy": ""}
    notes["reason"] = "clock: 'at noon or so' names no hour"
    write_parquet(run.results.path(book.TARGET_QUARANTINE), pa.Table.from_pylist([notes]))
    rows = [_kept(key, *target) for key in run.results.methods for target in TARGETS]
    write_parquet(run.results.path(book.WHAT_IS_KEPT), pa.Table.from_pylist(rows))
    samples = range(sum(SHARDS))
    truth = {
        "boxes.x": [None if row % 7 == 0 else row / 100 for row in samples],
        "boxes.y": [row % 10 / 10 for row in samples],
        "clock": [row * 30.0 % 360 for row in samples],
    }
    named = {"label": run.labels, "constructor": [["red", "blue"][row % 2] for row in samples]}
    write_parquet(run.results.path(book.TARGETS), pa.table({"id": run.ids, **named, **truth}))
    guesses = {
        "boxes.x": [row / 100 + 0.01 for row in samples],
        "boxes.y": [row % 10 / 10 - 0.02 for row in samples],
        "clock": [(angle + TURNED) % 360 for angle in truth["clock"]],
    }
    for key in run.results.methods:
        write_parquet(
            run.results.path(book.PREDICTIONS, *key), pa.table({"id": run.ids, **guesses})
        )
        own = [row for row in rows if (row["encoder"], row["variant"], row["method"]) == key]
        write_parquet(run.results.path(book.KEPT, *key), pa.Table.from_pylist(own))
    return run


def _kept(key: tuple[str, ...], name: str, title: str, family: str, kind: str, unit: str) -> dict:
    encoder, variant, method = key
    place = METHODS.index(method)
    kept = {"label": 0.01, "constructor": 0.5 if encoder == "tiny-vae" else 0.0}.get(
        name, 0.8 - 0.1 * SPATIAL.index(method) if method in SPATIAL else 0.02
    )
    kept -= 0.001 * place + (0.01 if variant == "boxes" else 0)
    chance = 0.1 if kind == "categorical" else -0.02
    ends = {"low": kept - 0.05, "high": kept + 0.05}
    return {
        **{"encoder": encoder, "variant": variant, "method": method, "baseline": encoder == "dct"},
        **{"target": name, "family": family, "kind": kind},
        "metric": {"categorical": "ridge_balanced", "circular": "ridge_cosine"}.get(
            kind, "ridge_r2"
        ),
        **{"value": chance + kept * (1 - chance), "chance": chance, **ends},
        **{"p": 0.001 if kept > 0.1 else 0.5, "p_adjusted": 0.001 if kept > 0.1 else 0.9},
        **{"samples": 60, "kept": kept, "headline": True, "note": None},
        **{f"kept_{end}": value for end, value in ends.items()},
        **{"place_low": 1, "place_high": 9, "may_be_best": kept > 0.6},
    }


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
                "width": [320] * count,
                "height": [240] * count,
                "image": [_jpeg(row // 3, 5) for row in rows],
                "digest": ["0" * 16] * count,
            },
            schema=SCHEMA,
        )
        shard = f"{number:04d}"
        write_arrow(run.results.path(book.SAMPLES, shard), table)
        jpegs = [None if row == 0 else _jpeg(row // 3) for row in rows]
        thumbnails = pa.table({"id": table["id"], "jpeg": pa.array(jpegs, pa.binary())})
        write_arrow(run.results.path(book.THUMBNAILS, shard), thumbnails)
        manifest.append(Shard(shard, count, 1, "0123456789abcdef"))
    write_manifest(run.results.path(book.MANIFEST), manifest)
    quarantine = pa.table(
        {
            "source": ["fake"] * 5,
            "file": ["a.png", "b.png", "c.png", "images", "images"],
            "row": [1, 2, 3, None, None],
            "id": ["a", "b", "c", None, None],
            "digest": ["0", "0", "0", "", ""],
            "action": ["quarantined", "quarantined", "repaired", "passed over", "not used"],
            "count": [1, 1, 1, 7, 1246],
            "reason": [
                *("image is truncated", "image is truncated", "box is inverted", ".md files"),
                "samples: 70 of 1,316 are used (num_samples)",
            ],
            "remedy": [None, None, "swapped", "none", ""],
        }
    )
    write_parquet(run.results.path(book.QUARANTINE), quarantine)


def _jpeg(image: int, scale: int = 1) -> bytes:
    color = tuple(np.random.default_rng(image).integers(0, 255, 3).tolist())
    stream = io.BytesIO()
    Image.new("RGB", (64 * scale, 48 * scale), color).save(stream, "JPEG")
    return stream.getvalue()


def _write_latents(run: FakeRun, encoder: str, variant: str, shard: int, path: Path) -> None:
    """Latents whose channel means are right, except those of the VAE's boxes."""
    mean = 6.0 if (encoder, variant) == ("tiny-vae", "boxes") else 0.1
    ids = run.ids[sum(SHARDS[:shard]) :][: SHARDS[shard]]
    latents = np.full((len(ids), 2, 1, 1), mean, np.float32)
    calibration = calibrate(latents, StatedStatistics((0.0, 0.0), (1.0, 1.0)))
    write_latents(path, ids, latents, {"calibration": calibration.to_json()})


def _write_embedding(run: FakeRun, key: tuple[str, ...]) -> None:
    """An embedding that says nothing of the labels, and its neighbors."""
    values = np.random.default_rng(len(key[2])).normal(size=(sum(SHARDS), 4)).astype(np.float32)
    groups = [str(row // 3) for row in range(sum(SHARDS))]
    write_embedding(run.results.path(book.EMBEDDING, *key), run.ids, values, 1)
    write_graph(run.results.path(book.NEIGHBORS, *key), find_neighbors(run.ids, values, groups, 10))


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
            "effect": (value - 0.09) / 0.91,
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
    fields = ("chance", "chance_range", "effect", "interval", "p_value", "note")
    for entry in metrics.values():
        entry |= {key: entry.get(key) for key in fields}
    metrics["knn_category_acc_grouped"]["curve"] = [
        {"k": k, "value": value - k / 1000, "chance": 0.08, "chance_range": [0.05, 0.1], **none}
        for k in (1, 3, 10, 90)
        for none in [{"interval": None}]
    ]
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
    write_json(
        run.agreements[encoder, variant],
        {"tables": tables, "duplicates": [["flatten", "range"]], **whole},
    )
    write_json(
        run.map_agreements[encoder, variant],
        {"tables": {name: table(MAPPED) for name in PROJECTIONS}, **whole},
    )


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
    write_json(run.results.path(book.RANKING), methods.describe(["dct"]))


def _learning() -> dict[str, object]:
    """A curve that rises, of the best method."""
    sizes = [(15, [0.2, 0.22]), (30, [0.25]), (60, [0.3])]
    points = [{"source_groups": n, "samples": 3 * n, "values": values} for n, values in sizes]
    return {"method": METHODS[0], "curves": {"knn_category_acc_grouped": points}}


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
    density = (1 + percentile / 50) ** 2  # from 1 to 9
    write_parquet(path, pa.table({"id": run.ids, "density": density, "percentile": percentile}))


def _write_outliers(run: FakeRun, path: Path) -> None:
    """The first sample is an outlier, far beyond all others; the second has no scores."""
    scores = np.linspace(0, 1, sum(SHARDS)).astype(np.float32)
    scores[:2] = 1000, np.nan
    write_parquet(path, pa.table({"id": run.ids, **dict.fromkeys(OF_OUTLIERS, scores)}))


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
