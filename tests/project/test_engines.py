"""Maps by the default engines are maps as the libraries that everyone knows make them."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from latentmap.project.projection import PROJECTIONS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
# benchmarks/projections.py --reference writes it.
UMAP_LEARN = json.loads((Path(__file__).parent / "umap_learn.json").read_text())


def load(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where its data classes are looked up
    spec.loader.exec_module(module)
    return module


shapes = load("shapes")


@pytest.fixture(scope="module", params=shapes.SHAPES)
def named(request):
    return request.param, shapes.SHAPES[request.param]()


def metrics(shape, graph, **options):
    projection = PROJECTIONS.create("umap", options)
    coordinates = projection.place(lambda: shape.values, graph).coordinates
    return coordinates, (shapes.spread(coordinates, shape), shapes.nearest(coordinates))


def check(found, expected):
    ratios = found / np.array([expected["spread"], expected["nearest"]])
    assert (ratios > 0.5).all() and (ratios < 2).all(), ratios


def test_a_umap_is_as_wide_as_that_of_umap_learn(named, graph_of):
    name, shape = named
    coordinates, found = metrics(shape, graph_of(shape.values, 15))
    assert np.isfinite(coordinates).all()
    assert np.ptp(coordinates, axis=0).max() < 100
    if name == "exact duplicates":
        search = NearestNeighbors(n_neighbors=10).fit(coordinates)
        near = search.kneighbors(return_distance=False)
        assert (shape.clusters[near] == shape.clusters[:, np.newaxis]).all()
    else:
        check(found, UMAP_LEARN[f"{name} 2D"])


def test_so_it_is_in_three_dimensions(graph_of):
    shape = shapes.SHAPES["near-duplicates"]()
    check(metrics(shape, graph_of(shape.values, 15), dims=3)[1], UMAP_LEARN["near-duplicates 3D"])


def test_near_duplicates_are_as_tight_by_tsne_as_by_opentsne(graph_of):
    shape = shapes.SHAPES["near-duplicates"]()
    graph = graph_of(shape.values)
    found, expected = (
        shapes.spread(
            PROJECTIONS.create("tsne", options).place(lambda: shape.values, graph).coordinates,
            shape,
        )
        for options in ({}, {"engine": "openTSNE"})
    )
    assert expected / 2 < found < expected * 2


@pytest.mark.slow
@pytest.mark.parametrize("dims", [2, 3])
def test_the_reference_is_what_umap_learn_makes(dims, named, graph_of):
    name, shape = named
    _, found = metrics(shape, graph_of(shape.values, 15), dims=dims, engine="umap-learn")
    expected = UMAP_LEARN[f"{name} {dims}D"]
    assert found == pytest.approx((expected["spread"], expected["nearest"]), rel=0.3)
