"""From the same latents to the same embeddings, neighbors and maps, whatever the processor."""

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from latentmap.axes import signs

# Every method pools feature maps; the embedding of `flatten` is wider than long.
JOB = """
import hashlib, json, numpy as np
from threadpoolctl import threadpool_info
from latentmap.neighbors.exact import find_neighbors
from latentmap.pool.method import METHODS
from latentmap.project.projection import PROJECTIONS

random = np.random.default_rng(0)
centres = random.normal(size=(6, 4, 32, 32))
latents = centres[np.arange(90) % 6] + random.normal(size=(90, 4, 32, 32))
latents = latents.astype(np.float16).astype(np.float32)
regions = [random.uniform(0.1, 0.4, size=(2, 4)) + [0, 0, 0.4, 0.4] for _ in latents]
ids = [f"s{row}" for row in range(len(latents))]

def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:12]

found = {}
for kind in METHODS:
    method = METHODS.create(kind, {})
    values = np.ascontiguousarray(method.finish(method.pool(latents, regions)))
    graph = find_neighbors(ids, values, ids, 45)
    places = [
        PROJECTIONS.create(name, {"perplexity": 15} if name == "tsne" else {})
        .place(lambda: values, graph).coordinates
        for name in (("pca", "tsne", "umap") if kind in ("covariance", "flatten") else ("pca",))
    ]
    parts = (values, graph.every.indices, graph.every.distances, *places)
    found[kind] = [digest(part) for part in parts]
kernels = {pool.get("architecture", "") for pool in threadpool_info()}
print(json.dumps([sorted(kernels), found]))
"""


def results(**variables):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", JOB],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names kernels of x86_64")
def test_no_kernel_changes_embeddings_neighbors_or_maps():
    kernels, expected = results(OPENBLAS_CORETYPE="Prescott")
    others = [results(OPENBLAS_CORETYPE="Haswell", NPY_DISABLE_CPU_FEATURES="X86_V4"), results()]
    assert any(other != kernels for other, _ in others), "this NumPy has one kernel only"
    for _, found in others:
        assert found == expected


def test_rounding_does_not_choose_between_equal_loadings():
    axes = np.array([[0.6, -0.2], [-0.6, 0.7], [0.5, 0.7]])
    noise = 1e-9 * np.array([[1], [-1], [0]])
    np.testing.assert_array_equal(signs(axes + noise), [1, 1])
    np.testing.assert_array_equal(signs(axes - noise), [1, 1])
    assert signs(np.zeros((3, 2))).tolist() == [1, 1]
    assert signs(np.zeros((3, 0))).shape == (0,)
