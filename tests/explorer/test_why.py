"""Why two samples are neighbors: the account of docs/explorer-format.md, computed plainly."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from latentmap.explorer.latents import ACCOUNTS
from latentmap.explorer.write import write_explorer

sys.path.insert(0, str(Path(__file__).parent))

from planted import Planted

# What each position of a channel adds to a statistic.
PARTS = {
    "mean": lambda x: x / x.size,
    "std": lambda x: (x - x.mean()) ** 2 / (x.size * x.std()) if x.std() else 0 * x,
    "minimum": lambda x: np.where(np.arange(x.size) == x.argmin(), x, 0),
    "maximum": lambda x: np.where(np.arange(x.size) == x.argmax(), x, 0),
    "range": lambda x: PARTS["maximum"](x) - PARTS["minimum"](x),
    "positive_mean": lambda x: _cubes(np.maximum(x, 0)),
    "negative_mean": lambda x: _cubes(np.maximum(-x, 0)),
}


def _cubes(y: np.ndarray) -> np.ndarray:
    mean = np.cbrt((y**3).mean())
    return y**3 / (y.size * mean**2) if mean else 0 * y


def account(statistic: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return what each channel and position adds to the squared distance, (C, P)."""
    if statistic == "value":
        return (a - b) ** 2
    ours, theirs = (np.array([PARTS[statistic](x) for x in one]) for one in (a, b))
    difference = (ours.sum(axis=1) - theirs.sum(axis=1))[:, np.newaxis]
    by_position = difference * (ours - theirs)
    assert by_position.sum(axis=1) == pytest.approx(difference[:, 0] ** 2, abs=1e-9)
    return by_position


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_what_positions_add_is_the_squared_distance_to_each_neighbor(tmp_path, dtype):
    latents = np.random.default_rng(1).normal(size=(40, 3, 4, 5)).astype(dtype)
    latents[7, 1] = 0.5  # a channel without any variation
    planted = Planted(
        tmp_path / "run", count=40, methods=tuple(ACCOUNTS), latents=latents, dims={"umap": 2}
    )
    planted.options = {"neighbors": len(ACCOUNTS)}
    write_explorer(planted.write())
    folder = planted.folder / "explorer"
    manifest = json.loads((folder / "manifest.json").read_text())
    (where,) = manifest["latents"]
    assert (where["encoder"], where["shape"]) == ("tower", [3, 4, 5])

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
