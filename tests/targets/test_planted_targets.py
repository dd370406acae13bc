"""From scenes to what is kept: where things are is lost by what throws position away, colour not.

In swapped scenes two things take all four arrangements in opposite quarters of the picture, made of
the same blocks of pixels. So where the first is to the second (dx, dy) is in no statistic of the
blocks, and what colours there are is in all of them.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode.encoder import ENCODERS, Encoder
from latentmap.metrics.inference import StatisticsOptions
from latentmap.neighbors.exact import find_neighbors
from latentmap.pool.method import METHODS
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES
from latentmap.targets.derivation import DERIVATIONS
from latentmap.targets.domain import TargetedEmbedding
from latentmap.targets.facts import TargetFacts
from latentmap.targets.measure import measured

IMAGES = 128
WARM = ("red", "orange", "yellow", "pink")
VAE = Path(__file__).parents[2] / "resources" / "tiny-vae"
ENCODER = {
    "dct": ("dct", {"size": 256}),
    "tiny-vae": ("vae", {"model": str(VAE), "size": 256, "device": "cpu", "precision": "float32"}),
}

THROW_AWAY = ("max", "min", "std", "meanstd", "minmax")
KEEP = ("patch4", "lowfreq")


@pytest.fixture(scope="module")
def scenes() -> pa.Table:
    source = SOURCES.create("scenes", {"images": IMAGES, "swapped": "both_ways"})
    return ingest(source, range(IMAGES), {}, {}).samples


@pytest.fixture(scope="module", params=ENCODER)
def latents(request: pytest.FixtureRequest, scenes: pa.Table) -> np.ndarray:
    kind, options = ENCODER[request.param]
    encoder = ENCODERS.create(kind, options)
    encoder.load()
    return encoded(encoder, scenes)


def encoded(encoder: Encoder, scenes: pa.Table) -> np.ndarray:
    """Return the latents of all pictures, no boxes drawn."""
    pictures = [
        encoder.prepare(sample, lambda one: show(one, "plain", DrawOptions()))
        for sample in scenes.to_pylist()
    ]
    batches = range(0, IMAGES, 16)
    return np.concatenate([encoder.encode(pictures[first : first + 16]) for first in batches])


def kept(scenes: pa.Table, latents: np.ndarray, method: str) -> dict:
    """Return what one method keeps of each target: the ridge figures by target."""
    values = METHODS.create(method).pool(latents, ())
    ids, groups = scenes["id"].to_pylist(), np.array(scenes["source_group"].to_pylist())
    graph = find_neighbors(ids, values, groups, 10)
    sources = np.unique(groups, return_inverse=True)[1]
    statistics = StatisticsOptions(permutations=60)
    data = TargetedEmbedding(values, sources, graph, statistics)
    offsets = {one.name: one.values for one in DERIVATIONS.create("box_pairs").derive(scenes)}
    colours = scenes["first_colour"].to_pylist()
    targets = {
        "dx": pa.array(offsets["dx"], pa.float64()),
        "dy": pa.array(offsets["dy"], pa.float64()),
        "colour": pa.array(colours),
    }
    kinds = {"dx": "continuous", "dy": "continuous", "colour": "categorical"}
    facts = [
        TargetFacts(name, name, kind, "", "", IMAGES, WARM if name == "colour" else ())
        for name, kind in kinds.items()
    ]
    found = measured(data, pa.table(targets), facts)
    return {
        one.name: next(f for f in figures.figures if f.metric.startswith("ridge_"))
        for one, _, figures in found
    }


@pytest.mark.parametrize("method", THROW_AWAY)
def test_what_throws_position_away_keeps_colour_and_no_place(
    scenes: pa.Table, latents: np.ndarray, method: str
) -> None:
    found = kept(scenes, latents, method)
    for name in ("dx", "dy"):
        assert found[name].value < 0.01, "what is kept of the place is nothing"
    assert found["colour"].value > found["colour"].draws.max()


@pytest.mark.parametrize("method", KEEP)
def test_what_keeps_position_keeps_the_place_too(
    scenes: pa.Table, latents: np.ndarray, method: str
) -> None:
    found = kept(scenes, latents, method)
    for name in ("dx", "dy"):
        assert found[name].value > 0.5 > 0.2 > found[name].draws.max()


@pytest.mark.parametrize("kind", ["binary", "categorical"])
def test_of_one_value_that_others_can_inform_about_nothing_is_measured(kind: str) -> None:
    values = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
    groups = np.arange(24) // 2
    names = ["rare" if group == 0 else "common" for group in groups]
    ids = [str(row) for row in range(24)]
    graph = find_neighbors(ids, values, groups, 10)
    data = TargetedEmbedding(values, groups, graph, StatisticsOptions())
    facts = TargetFacts("name", "name", kind, "", "", 24, ("common", "rare"))
    [(_, _, found)] = measured(data, pa.table({"name": names}), [facts])
    for figure in found.figures:
        assert np.isnan(figure.value)
        assert figure.note == "Fewer than two values occur in two source groups."


def test_what_is_kept_falls_to_chance_as_the_picture_becomes_noise(scenes: pa.Table) -> None:
    values = []
    for noise in (0, 0.8, 1):
        encoder = ENCODERS.create("dct", {"size": 256, "noise": noise})
        found = kept(scenes, encoded(encoder, scenes), "patch4")
        values.append([found[name] for name in ("dx", "dy", "colour")])
    clear, noisy, nothing = values
    for at_first, then, at_last in zip(clear[:2], noisy[:2], nothing[:2], strict=True):
        assert at_first.value > then.value > 0.4 > 0.1 > at_last.value
    assert clear[2].p_value <= 0.05
    assert all(figure.p_value > 0.05 for figure in nothing)
