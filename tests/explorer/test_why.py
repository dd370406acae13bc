"""Why two samples are neighbors: the account of docs/explorer-format.md, computed plainly."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.fft import dctn
from torch.nn.functional import adaptive_avg_pool2d

from latentmap.explorer.write import write_explorer
from latentmap.pool.method import METHODS

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted

SHAPE = (3, 4, 5)
ACCOUNTS = {
    name: METHODS[name].account()
    for name in METHODS
    if METHODS[name].obstacle(SHAPE) is None
    and METHODS[name].account()
    and not METHODS[name].needs_regions
}

# What each position of a channel adds to a statistic.
PARTS = {
    "mean": lambda x: x / x.size,
    "std": lambda x: (x - x.mean()) ** 2 / (x.size * x.std()) if x.std() else 0 * x,
    "minimum": lambda x: np.where(np.arange(x.size) == x.argmin(), x, 0),
    "maximum": lambda x: np.where(np.arange(x.size) == x.argmax(), x, 0),
    "spread": lambda x: PARTS["maximum"](x) - PARTS["minimum"](x),
    "positive_mean": lambda x: _cubes(np.maximum(x, 0)),
    "negative_mean": lambda x: _cubes(np.maximum(-x, 0)),
}


def _cubes(y: np.ndarray) -> np.ndarray:
    mean = np.cbrt((y**3).mean())
    return y**3 / (y.size * mean**2) if mean else 0 * y


def _percentile(x: np.ndarray, percent: int) -> np.ndarray:
    parts, order, rank = np.zeros(x.size), x.argsort(), percent / 100 * (x.size - 1)
    for place, weight in ((int(rank), 1 - rank % 1), (int(np.ceil(rank)), rank % 1)):
        parts[order[place]] += weight * x[order[place]]
    return parts


def _covariance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    added = np.zeros(a.shape)
    for i in range(len(a)):
        for j in range(i, len(a)):
            ours, theirs = (
                (x[i] - x[i].mean()) * (x[j] - x[j].mean()) / x.shape[1] for x in (a, b)
            )
            pair = (ours.sum() - theirs.sum()) * (ours - theirs)
            added[i] += pair / 2
            added[j] += pair / 2
    return added


def _linear(weights: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Weights are (K, P)."""
    return (gap @ weights.T) @ weights * gap


def _cells(count: int) -> np.ndarray:
    """Return the weights of torch's adaptive mean, (count², P)."""
    return adaptive_avg_pool2d(torch.eye(20).reshape(20, 4, 5), count).reshape(20, -1).numpy().T


def _cosines(count: int) -> np.ndarray:
    """Return the lowest waves of scipy's two-dimensional cosine transform, (K, P)."""
    waves = dctn(np.eye(20).reshape(20, 4, 5), axes=(1, 2), norm="ortho")
    return waves[:, :count, :count].reshape(20, -1).T


def account(statistic: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return what each channel and position adds to the squared distance, (C, P)."""
    family, _, size = statistic.partition("_")
    if statistic == "value":
        return (a - b) ** 2
    if statistic == "covariance":
        return _covariance(a, b)
    if statistic == "percentiles":
        return sum(_by_parts(lambda x, q=q: _percentile(x, q), a, b) for q in (5, 25, 50, 75, 95))
    if statistic == "unit_mean":
        return account("mean", *(x / np.linalg.norm(x.mean(axis=1)) for x in (a, b)))
    if family in ("cells", "cosines"):
        return _linear({"cells": _cells, "cosines": _cosines}[family](int(size)), a - b)
    return _by_parts(PARTS[statistic], a, b)


def _by_parts(parts, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    ours, theirs = (np.array([parts(x) for x in one]) for one in (a, b))
    difference = (ours.sum(axis=1) - theirs.sum(axis=1))[:, np.newaxis]
    by_position = difference * (ours - theirs)
    assert by_position.sum(axis=1) == pytest.approx(difference[:, 0] ** 2, abs=1e-9)
    return by_position


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_what_positions_add_is_the_squared_distance_to_each_neighbor(tmp_path, dtype):
    latents = np.random.default_rng(1).normal(size=(40, *SHAPE)).astype(dtype)
    latents[7, 1] = 0.5  # a channel without any variation
    planted = Planted(
        tmp_path / "run", count=40, methods=tuple(ACCOUNTS), latents=latents, dims={"umap": 2}
    )
    planted.options = {"neighbors": len(ACCOUNTS)}
    write_explorer(planted.write())
    folder = planted.folder / "explorer"
    manifest = json.loads((folder / "manifest.json").read_text())
    (where,) = manifest["latents"]
    assert (where["encoder"], where["shape"]) == ("tower", [*SHAPE])

    def read(row: int) -> np.ndarray:
        place = next(f for f, start in enumerate(where["starts"][1:]) if row < start)
        kind = np.dtype(where["type"])
        size = 3 * 4 * 5 * kind.itemsize
        start = where["offsets"][place] + (row - where["starts"][place]) * size
        content = (folder / where["files"][place]).read_bytes()[start : start + size]
        return np.frombuffer(content, kind).astype(float).reshape(3, 20)

    assert read(0) == pytest.approx(latents[0].reshape(3, 20))
    checked = 0
    for method in manifest["methods"]:
        if method["encoder"] != "tower":
            assert method["account"] is None
            continue
        table = pa.ipc.open_file(folder / method["neighbors"]["file"].replace("{}", "0")).read_all()
        for row in (0, 7, 39):
            for place in (0, 9):
                other = table["neighbor"][row][place].as_py()
                total = sum(
                    account(statistic, read(row), read(other)).sum()
                    for statistic in method["account"]
                )
                distance = table["distance"][row][place].as_py()
                assert total == pytest.approx(distance**2, rel=2e-4, abs=1e-6), method["id"]
                checked += 1
    assert checked == 6 * len(ACCOUNTS)
