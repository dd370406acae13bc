"""Every pooling method against a plain float64 definition of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from itertools import product
from math import ceil, floor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.fft import dctn
from sklearn.decomposition import PCA
from torch.nn.functional import adaptive_avg_pool2d

from latentmap.pool.method import METHODS

Array = NDArray[np.float64]

SHAPES = [(16, 64, 64), (16, 7, 5), (3, 19, 33), (1, 4, 33), (5, 3, 2), (4, 1, 1)]
BOXES = np.array([[0.1, 0.2, 0.5, 0.9], [0.55, 0.0, 1.0, 0.31]])


def latents_of(shape: tuple[int, int, int], count: int = 5, offset: float = 0.0) -> NDArray:
    values = np.random.default_rng(3).normal(0.3, 2, (count, *shape)) + offset
    return values.astype(np.float16).astype(np.float32)


def patch_means(x: Array, n: int) -> Array:
    means = adaptive_avg_pool2d(torch.from_numpy(x), n)
    return means.permute(1, 2, 0).reshape(-1).numpy()


def pyramid(x: Array) -> Array:
    _, height, width = x.shape
    cells = []
    for n in (1, 2, 4):
        rows = [slice(floor(i * height / n), ceil((i + 1) * height / n)) for i in range(n)]
        columns = [slice(floor(i * width / n), ceil((i + 1) * width / n)) for i in range(n)]
        cells += [x[:, row, column].mean(axis=(1, 2)) for row in rows for column in columns]
    return np.concatenate(cells)


def covariance(x: Array) -> Array:
    flat = x.reshape(len(x), -1)
    matrix = np.atleast_2d(np.cov(flat, ddof=0)) if flat.shape[1] > 1 else np.zeros((len(x),) * 2)
    return matrix[np.triu_indices(len(x))]


def shares(start: float, stop: float, size: int) -> Array:
    """Share of each position in a span, on a grid 100 times finer, where no edge falls between."""
    fine = np.repeat(np.eye(size), 100, axis=0)
    return fine[round(start * size * 100) : round(stop * size * 100)].mean(axis=0)


def region(x: Array) -> Array:
    _, height, width = x.shape
    means = [
        np.einsum("chw,h,w->c", x, shares(y0, y1, height), shares(x0, x1, width))
        for x0, y0, x1, y1 in BOXES
    ]
    geometry = [[(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0] for x0, y0, x1, y1 in BOXES]
    return np.concatenate([*means, means[0] - means[1], *geometry])


def gem(x: Array) -> Array:
    return np.concatenate(
        [np.cbrt((np.maximum(part, 0) ** 3).mean(axis=(1, 2))) for part in (x, -x)]
    )


def statistics(*names: str) -> Callable[[Array], Array]:
    return lambda x: np.concatenate([getattr(np, name)(x, axis=(1, 2)) for name in names])


EXPECTED: dict[str, Callable[[Array], Array]] = {
    "mean": statistics("mean"),
    "max": statistics("max"),
    "min": statistics("min"),
    "std": statistics("std"),
    "meanstd": statistics("mean", "std"),
    "minmax": statistics("min", "max"),
    "full_stats": statistics("mean", "std", "min", "max"),
    "range": lambda x: np.ptp(x, axis=(1, 2)),
    "percentiles": lambda x: np.percentile(x, [5, 25, 50, 75, 95], axis=(1, 2)).reshape(-1),
    "gem": gem,
    "l2norm_mean": lambda x: x.mean(axis=(1, 2)) / np.linalg.norm(x.mean(axis=(1, 2))),
    "covariance": covariance,
    "patch4": lambda x: patch_means(x, 4),
    "patch8": lambda x: patch_means(x, 8),
    "patch16": lambda x: patch_means(x, 16),
    "flatten": lambda x: x.reshape(-1),
    "channel": lambda x: x.reshape(-1),
    "spatial": lambda x: x.transpose(1, 2, 0).reshape(-1),
    "pyramid": pyramid,
    "lowfreq": lambda x: dctn(x, axes=(1, 2), norm="ortho")[:, :4, :4].reshape(-1),
    "region": region,
}
COMPONENTS = {"mean_pca2": 2, "mean_pca4": 4, "mean_pca8": 8}


def defined(names: Iterable[str]) -> list[tuple[str, tuple[int, int, int]]]:
    """Return the methods with the shapes of latents for which they are defined."""
    pairs = product(names, SHAPES)
    return [(name, shape) for name, shape in pairs if METHODS[name].obstacle(shape) is None]


def regions_for(latents: NDArray) -> list[Array]:
    return [BOXES] * len(latents)


def test_every_method_is_checked() -> None:
    assert set(METHODS) == set(EXPECTED) | set(COMPONENTS)


@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize(("name", "shape"), defined(EXPECTED), ids=str)
def test_values_are_those_of_the_definition(
    name: str, shape: tuple[int, int, int], offset: float
) -> None:
    latents = latents_of(shape, offset=offset)
    pooled = METHODS.create(name).pool(latents, regions_for(latents))
    expected = np.stack([EXPECTED[name](x) for x in latents.astype(np.float64)])
    assert pooled.dtype == np.float32
    assert pooled.shape == expected.shape
    np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("name", "shape"), defined(METHODS), ids=str)
def test_dims_and_tokens(name: str, shape: tuple[int, int, int]) -> None:
    method = METHODS.create(name)
    latents = latents_of(shape, count=12)
    latents[0], latents[1] = 0, 7  # without a largest value, a direction or a deviation
    table = method.finish(method.pool(latents, regions_for(latents)))
    assert table.shape == (12, method.dims(shape))
    assert np.isfinite(table).all()
    assert method.tokens(shape) >= 1
    if method.tokens(shape) > 1:
        assert method.dims(shape) % method.tokens(shape) == 0


@pytest.mark.parametrize(("name", "shape"), defined(METHODS), ids=str)
def test_a_latent_does_not_depend_on_its_block(name: str, shape: tuple[int, int, int]) -> None:
    method = METHODS.create(name)
    latents = latents_of(shape)
    before = latents.copy()
    together = method.pool(latents, regions_for(latents))
    alone = [method.pool(latents[i : i + 1], [BOXES]) for i in range(len(latents))]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    np.testing.assert_array_equal(latents, before)


@pytest.mark.parametrize(
    "name",
    ["full_stats", "percentiles", "gem", "l2norm_mean", "covariance", "range"],
)
def test_statistics_do_not_know_where(name: str) -> None:
    latents = latents_of((4, 6, 5))
    moved = np.roll(latents[:, :, ::-1], 2, axis=3)
    method = METHODS.create(name)
    np.testing.assert_allclose(method.pool(moved, ()), method.pool(latents, ()), atol=1e-5)


@pytest.mark.parametrize("name", ["patch4", "pyramid", "lowfreq", "spatial", "channel"])
def test_grids_know_left_from_right(name: str) -> None:
    latents = np.zeros((2, 1, 8, 8), np.float32)
    latents[0, :, :, :4] = 1
    latents[1, :, :, 4:] = 1
    left, right = METHODS.create(name).pool(latents, ())
    assert np.abs(left - right).max() >= 1


@pytest.mark.parametrize("name", COMPONENTS)
def test_components_are_those_of_scikit_learn(name: str) -> None:
    method = METHODS.create(name)
    means = np.random.default_rng(0).normal(size=(40, 16)) * np.arange(1, 17)
    pca = PCA(COMPONENTS[name]).fit(means.astype(np.float32).astype(np.float64))
    loadings = np.take_along_axis(
        pca.components_, np.abs(pca.components_).argmax(axis=1)[:, None], axis=1
    )
    expected = pca.transform(means) * np.sign(loadings)[:, 0]
    np.testing.assert_allclose(method.finish(means.astype(np.float32)), expected, atol=1e-3)


def test_components_beyond_the_rank_are_zero() -> None:
    line = np.linspace(-1, 1, 30)[:, None] * np.array([1.0, 2.0, -3.0, 0.5, 0.1, 7.0])
    table = METHODS.create("mean_pca4").finish((line + 5).astype(np.float32))
    assert np.abs(table[:, 0]).max() > 1
    np.testing.assert_array_equal(table[:, 1:], 0)


def test_fewer_samples_than_components() -> None:
    means = np.random.default_rng(0).normal(size=(3, 16)).astype(np.float32)
    table = METHODS.create("mean_pca8").finish(means)
    assert table.shape == (3, 8)
    # Distances between samples survive: three points lie in a plane.
    np.testing.assert_allclose(
        np.linalg.norm(table[0] - table[1]), np.linalg.norm(means[0] - means[1]), rtol=1e-5
    )
    np.testing.assert_array_equal(table[:, 2:], 0)


def test_l2norm_mean_of_zeros_is_zero() -> None:
    pooled = METHODS.create("l2norm_mean").pool(np.zeros((2, 3, 4, 4), np.float32), ())
    np.testing.assert_array_equal(pooled, 0)


def test_region_rules_for_boxes() -> None:
    ramp = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    latents = np.repeat(ramp, 5, axis=0)
    whole = [0.5, 0.5, 1, 1]
    inside = np.array([[0.26, 0.51, 0.27, 0.52]])  # far smaller than position (2, 1)
    point = np.array([[1.0, 1.0, 1.0, 1.0]])  # the last corner, without area
    second = np.array([[0, 0, 0.5, 0.25]])  # positions (0, 0) and (0, 1)
    regions = [
        np.empty((0, 4)),
        inside,
        np.concatenate([inside, second]),
        np.concatenate([inside, second, point]),
        point,
    ]
    pooled = METHODS.create("region").pool(latents, regions)
    np.testing.assert_allclose(pooled[0], [7.5, 7.5, 0, *whole, *whole], rtol=1e-6)
    geometry = [0.265, 0.515, 0.01, 0.01]
    np.testing.assert_allclose(pooled[1], [9, 7.5, 1.5, *geometry, *whole], rtol=1e-5)
    expected = [9, 0.5, 8.5, *geometry, 0.25, 0.125, 0.5, 0.25]
    np.testing.assert_allclose(pooled[2], expected, rtol=1e-5)
    np.testing.assert_array_equal(pooled[3], pooled[2])
    np.testing.assert_allclose(pooled[4], [15, 7.5, 7.5, 1, 1, 0, 0, *whole], rtol=1e-6)


def test_flatten_keeps_vectors() -> None:
    method = METHODS.create("flatten")
    vectors = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
    assert (method.dims((7,)), method.tokens((7,))) == (7, 1)
    # A feature map has a token for each position, as in the first analysis.
    assert (method.dims((16, 64, 64)), method.tokens((16, 64, 64))) == (65536, 4096)
    np.testing.assert_array_equal(method.pool(vectors, ()), vectors)


def test_patches_are_counted_per_side() -> None:
    sizes = {name: METHODS.create(name).dims((16, 64, 64)) for name in ("patch4", "patch16")}
    assert sizes == {"patch4": 256, "patch16": 4096}
    ramp = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    np.testing.assert_array_equal(
        METHODS.create("patch4").pool(ramp, ())[0, :5], [4.5, 6.5, 8.5, 10.5, 20.5]
    )


@pytest.mark.parametrize(
    ("name", "shape"), [("patch4", (16, 3, 64)), ("patch16", (16, 64, 15)), ("mean", (16,))]
)
def test_a_method_that_latents_are_too_small_for_says_what_it_needs(
    name: str, shape: tuple[int, ...]
) -> None:
    needed = {"patch4": "needs 4 positions a side", "patch16": "needs 16 positions a side"}
    assert METHODS[name].obstacle(shape) == needed.get(name, "is for feature maps (C, H, W)")
    assert METHODS[name].obstacle((16, 64, 64)) is None


def test_only_flatten_takes_vectors_and_only_region_needs_boxes() -> None:
    assert [name for name in METHODS if METHODS[name].accepts_vectors] == ["flatten"]
    assert [name for name in METHODS if METHODS[name].needs_regions] == ["region"]


def test_pooling_imports_nothing_heavy() -> None:
    code = (
        "import sys, latentmap.pool.embed\n"
        "from latentmap.pool.method import METHODS\n"
        "for name in METHODS: METHODS[name]\n"
        "print(sorted({'torch', 'scipy', 'sklearn', 'polars'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
