"""From scenes to metrics: what throws position away is at chance on left against right.

In swapped scenes two objects exchange their places, block by block, so both labels have the same
blocks: only a method that keeps where they are can tell the labels apart.
"""

import numpy as np
import pytest

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode.encoder import ENCODERS
from latentmap.metrics.metric import METRICS, LabelledEmbedding
from latentmap.neighbors.exact import find_neighbors
from latentmap.pool.method import METHODS
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES

IMAGES = 80


@pytest.fixture(scope="module")
def scenes():
    source = SOURCES.create("scenes", {"images": IMAGES, "swapped": True})
    samples = ingest(source, range(IMAGES), {}, {}).samples.to_pylist()
    latents = []
    for sample in samples:
        # Blocks of the picture are blocks of the encoder only at the picture's own size.
        side = max(sample["width"], sample["height"])
        encoder = ENCODERS.create("dct", {"size": side})
        picture = show(sample, "plain", DrawOptions())
        square = np.zeros((side, side, 3), np.uint8)
        square[: picture.height, : picture.width] = np.asarray(picture)
        latents.append(encoder.encode([square])[0])
    assert len({latent.shape for latent in latents}) == 1
    return samples, np.stack(latents)


def accuracy(scenes, method: str) -> float:
    samples, latents = scenes
    ids, labels, groups = ([s[name] for s in samples] for name in ("id", "label", "source_group"))
    values = METHODS.create(method).pool(latents, ())
    graph = find_neighbors(ids, values, groups, 5)
    data = LabelledEmbedding(
        values, np.array(labels), np.array(labels), np.array(groups), graph, tokens=1
    )
    return METRICS.create("probe_knn", {"k": 1}).measure(data)["probe_knn_acc"].value


@pytest.mark.parametrize("method", ["mean", "max", "min", "std", "meanstd", "percentiles"])
def test_methods_without_position_are_at_chance(scenes, method):
    assert accuracy(scenes, method) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("method", ["patch4", "patch8", "pyramid", "lowfreq", "flatten"])
def test_methods_that_keep_position_are_not(scenes, method):
    assert accuracy(scenes, method) > 0.75
