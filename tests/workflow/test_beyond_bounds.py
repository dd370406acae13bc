"""Runs of more samples than the bounds on what is computed, compared or shown at once."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from PIL import Image
from polars.testing import assert_frame_equal
from sklearn.feature_selection import f_classif

from latentmap.inspect.inspection import read_inspection
from latentmap.neighbors.graph import read_graph
from latentmap.store.maps import read_map
from latentmap.store.tables import read_embedding

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

LABELS, SOURCES, EACH = ("dark", "grey", "light"), ("first", "second"), 10
COUNT = len(LABELS) * len(SOURCES) * EACH
METHODS = ("mean", "flatten")  # their embeddings are narrower than long, and wider

SETTINGS = {
    "samples": {
        "sources": [{"kind": "folder", "name": name, "input": name} for name in SOURCES],
        "shard_size": 40,
    },
    "variants": ["plain"],
    "encoders": [{"kind": "dct", "size": 64}],
    "methods": list(METHODS),
    "maps": "all",
    "projections": {"umap": {}, "tsne": None, "pca": {"dims": 3}},
    "neighbors": {"k": 20},
    "trust": {"k": 5},
    "inspection": {"k": 5},
}

# Constants and defaults of options that bound how many samples, values or pairs are taken at once,
# or by which of two ways something is found, and what they are lowered to.
BOUNDS = {
    "draw/thumbnails.py": {"ROWS_AT_ONCE": 7},
    "export/arrays.py": {"CHARACTERS_AT_ONCE": 100, "VALUES_AT_ONCE": 500},
    "export/columns.py": {"ROWS_AT_ONCE": 7},
    "inspect/channels.py": {"PASS_BYTES": 1, "max_samples": 30},
    "metrics/exchange.py": {"CELLS": 500},
    "metrics/features.py": {"AXES": 8},
    "metrics/metrics/silhouette.py": {"max_samples": 40},
    "metrics/outliers.py": {"ROWS_AT_ONCE": 7},
    "metrics/inference.py": {"PARTS": 8},
    "metrics/method_agreement.py": {"max_samples": 30},
    "metrics/retrieval.py": {"CELLS": 500},
    "metrics/retrieval_chance.py": {"CELLS": 500},
    "metrics/simultaneous.py": {"BATCH": 100},
    "metrics/metric.py": {"SHARED_ROWS": 40},
    "metrics/permutation.py": {"CELLS": 500},
    "metrics/similarity.py": {"CELLS": 500, "PAIRS": 7},
    "metrics/sources.py": {"max_samples": 20},
    "neighbors/approximate.py": {"FEWEST": 20, "MEMORY": 1, "PAIRS": 50, "TOGETHER": 10},
    "neighbors/distances.py": {"AFFORDABLE": 1, "BLOCK": 500},
    "neighbors/rotation.py": {"MOST_ROWS": 40},
    "neighbors/search.py": {"EXACT_ROWS": 40, "audit": 10},
    "pool/embed.py": {"BLOCK_BYTES": 1},
    "report/kept/charts.py": {"MOST_POINTS": 30},
    "project/quality.py": {"BLOCK": 100, "samples": 20},
    "report/options.py": {"max_points": 25},
    "targets/directions.py": {"BLOCK": 500},
    "targets/ridge.py": {"BLOCK": 7},
}
# Large numbers that bound nothing of the kind.
OTHERS = {
    ("report/kept/charts.py", "WIDTH"),
    # What is asked of some samples only is tested where it is measured: it changes values.
    ("inspect/channels.py", "MOST_PRODUCTS"),
    ("metrics/features.py", "PRECISE_ROWS"),
    ("metrics/learning.py", "MOST_SAMPLES"),
    ("metrics/metrics/other_metric.py", "queries"),
    ("metrics/metrics/r_precision.py", "max_samples"),
    ("metrics/metrics/r_precision.py", "queries"),
    ("metrics/inference.py", "resamples"),
    ("metrics/inference.py", "permutations"),
    ("metrics/two_sample.py", "permutations"),
    ("project/projections/tsne.py", "TREE"),
    ("project/quality.py", "MOST_REPEATED"),
    ("project/projections/umap.py", "SMALL"),
    ("project/start.py", "STEPS"),
    ("report/options.py", "pictures"),
    ("targets/domain.py", "PART_CELLS"),
    ("targets/figures.py", "RANKED"),
    ("targets/measure.py", "CELLS"),
    ("targets/measure.py", "COLUMNS"),
    ("targets/measure.py", "MOST_SAMPLES"),
    ("targets/ridge.py", "INFLUENCE_CELLS"),
}
STAGES = (
    "draw",
    "export",
    "inspect",
    "metrics",
    "neighbors",
    "pool",
    "project",
    "report",
    "targets",
)
LARGE = 500


class Runs(NamedTuple):
    """The results of one run, made within the bounds and beyond them."""

    within: Path
    beyond: Path

    def metrics(self, method: str) -> Iterator[tuple[str, dict, dict]]:
        """Yield each metric of a method with what it says within and beyond the bounds."""
        one, other = (
            json.loads((run / f"metrics/dct/plain/{method}.json").read_text())["metrics"]
            for run in self
        )
        yield from ((name, one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def runs(fresh, tmp_path_factory) -> Runs:
    """The same run in a copy of the project as it is, and in one with every bound lowered."""
    folder = tmp_path_factory.mktemp("runs")
    within = fresh.copy(folder / "within")
    write_images(within.folder)
    within.configure(SETTINGS)
    within.snakemake("all", "exports")
    beyond = within.copy(folder / "beyond")
    for path, values in BOUNDS.items():
        for name, value in values.items():
            lower(beyond.folder / "src/latentmap" / path, name, value)
    beyond.edit("src/latentmap/neighbors/approximate.py", "(30, 60)", "(5, 10)")
    beyond.snakemake("all", "exports")
    return Runs(within.results, beyond.results)


def write_images(folder: Path) -> None:
    """Write noise whose brightness depends on the label."""
    rng = np.random.default_rng(0)
    for source, (shade, label), number in product(SOURCES, enumerate(LABELS), range(EACH)):
        path = folder / source / label / f"{source} {number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = 60 * shade + rng.integers(0, 120, (16, 16, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(path)


def lower(path: Path, name: str, value: int) -> None:
    """Change the value of a constant, or the default of an option."""
    path.write_text(lowered(path, name, value))


def lowered(path: Path, name: str, value: int) -> str:
    """Return the text of a file in which a constant or the default of an option is changed."""
    pattern = rf"^(\s*{name}(?:: int)? = (?:Field\((?:default=)?)?)[\d_*]+"
    text, changed = re.subn(pattern, rf"\g<1>{value}", path.read_text(), flags=re.MULTILINE)
    assert changed == 1, f"{path} has {changed} definitions of {name}"
    return text


def test_every_large_constant_and_default_is_lowered() -> None:
    """A bound that is new belongs into BOUNDS, any other large number into OTHERS."""
    source = Path(__file__).parents[2] / "src/latentmap"
    for path, values in BOUNDS.items():
        for name, value in values.items():
            assert lowered(source / path, name, value)
    found = {
        (path.relative_to(source).as_posix(), name)
        for stage in STAGES
        for path in (source / stage).rglob("*.py")
        for name in large_numbers(path)
    }
    assert found <= OTHERS | {(path, name) for path, names in BOUNDS.items() for name in names}


def large_numbers(path: Path) -> Iterator[str]:
    """Yield the names of the module's constants and of the options' defaults that are large."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.isupper():
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(args=[value, *_])):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(keywords=keywords)):
                value = next((key.value for key in keywords if key.arg == "default"), None)
            case _:
                continue
        numbers = re.fullmatch(r"(\d+)(?: \*\* (\d+))?", ast.unparse(value) if value else "")
        if numbers and int(numbers[1]) ** int(numbers[2] or 1) >= LARGE:
            yield name


@pytest.mark.parametrize("method", METHODS)
def test_outlier_scores_are_the_same(runs, method) -> None:
    one, other = (
        pl.read_parquet(run / f"metrics/dct/plain/{method}.outliers.parquet") for run in runs
    )
    assert_frame_equal(one, other, abs_tol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_embeddings_and_linear_maps_are_the_same(runs, method) -> None:
    maps, embeddings = [], []
    for run in runs:
        ids, values = read_embedding(run / f"embeddings/dct/plain/{method}.parquet")
        embeddings.append(values)
        maps.append(read_map(run / f"projections/dct/plain/{method}/pca.parquet", ids).coordinates)
    np.testing.assert_array_equal(*embeddings)
    # An axis that is found another way may point the other way.
    np.testing.assert_allclose(*np.abs(maps), rtol=0, atol=1e-4 * np.abs(maps[0]).max())


@pytest.mark.parametrize("method", METHODS)
def test_nearly_all_neighbors_are_found(runs, method) -> None:
    exact, approximate = (read_graph(run / f"neighbors/dct/plain/{method}.parquet") for run in runs)
    assert exact.audit is None and approximate.audit.recall > 0.95
    for name in ("every", "grouped"):
        one, other = getattr(exact, name), getattr(approximate, name)
        pairs = zip(one.indices, other.indices, strict=True)
        assert np.mean([np.isin(*pair).mean() for pair in pairs]) > 0.97
        np.testing.assert_allclose(one.distances[:, 0], other.distances[:, 0], rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_metrics_are_the_same_or_near(runs, method) -> None:
    for name, one, other in runs.metrics(method):
        note = other["note"] or ""
        if "drawn at random" in note or "samples tested" in note:
            near = {"rel": 0.4, "abs": 0.15}
        elif "approximate" in note or "density" in name:
            near = {"abs": 0.02, "rel": 0.02}
        else:
            near = {"rel": 1e-5}
        assert other["value"] == pytest.approx(one["value"], **near), name


def test_the_inspection_is_the_same_but_for_what_compares_samples(runs) -> None:
    one, other = (
        read_inspection(folder / "channels.json", folder / "positions.parquet")
        for folder in (run / "inspection/dct/plain" for run in runs)
    )
    assert (one.compared, other.compared) == (COUNT, 30)
    for name in ("channel_positions", "positions", "label_means", "label_stds", "covariance"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-4)
    best = int(np.argmax([channel.f for channel in one.channels]))
    pairs = zip(one.channels, other.channels, strict=True)
    assert all(a.f == pytest.approx(b.f, rel=1e-4) for a, b in pairs)
    assert other.channels[best].knn == pytest.approx(one.channels[best].knn, abs=0.1)
    assert other.channels[best].silhouette == pytest.approx(one.channels[best].silhouette, abs=0.1)


def test_2100_feature_maps_become_a_report(unfinished) -> None:
    """More than the 2,000 samples that an inspection compares, as large as those of most models."""
    count, channel = 2100, 3
    labels = np.arange(count) % 4
    latents = np.random.default_rng(0).standard_normal((count, 16, 64, 64), np.float32)
    latents[:, channel] += labels[:, np.newaxis, np.newaxis]
    metadata = [
        {"id": f"sample {row}", "qa_category": "abcd"[label]} for row, label in enumerate(labels)
    ]
    cache = unfinished.folder / "latents.npz"
    np.savez(cache, latents=latents.astype(np.float16), metadata=json.dumps(metadata))
    unfinished.configure(
        {
            "input": "latents.npz",
            "samples": {"sources": [{"kind": "npz"}], "shard_size": 1500},
            "variants": ["plain"],
            "encoders": [{"kind": "cached", "precision": "float16"}],
            "methods": ["mean"],
            "projections": {"pca": {}, "umap": None, "tsne": None},
        }
    )
    unfinished.snakemake()
    cache.unlink()
    assert (unfinished.results / "report/summary_report.html").exists()
    folder = unfinished.results / "inspection/cached/plain"
    found = read_inspection(folder / "channels.json", folder / "positions.parquet")
    assert (found.samples, found.compared) == (count, 2000)
    means = latents.astype(np.float16).mean(axis=(2, 3), dtype=np.float64)
    expected = f_classif(means, labels)[0]
    np.testing.assert_allclose([one.f for one in found.channels], expected, rtol=1e-4)
    chances = [one.knn for place, one in enumerate(found.channels) if place != channel]
    assert found.channels[channel].knn == 1 and max(chances) < 0.3
