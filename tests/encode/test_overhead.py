"""What the loop around a model costs: the bare model, and the whole job, on the same batches."""

import io
import logging
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoders.dct import BlockDct, DctOptions
from latentmap.encode.shard import encode_shard

PHOTOGRAPHS = Path(__file__).parents[2] / ".." / "shared" / "data" / "coco-relations" / "images"
IMAGES = 64
ROUNDS = 3
SECONDS_A_SAMPLE = 0.04

log = logging.getLogger(__name__)


class OnDevice(BlockDct):
    """A model that keeps a device busy, not the processor: the time of a published VAE on a GPU."""

    def load(self) -> None:
        self.latents = np.random.default_rng(0).normal(size=(8, 16, 64, 64)).astype(np.float32)

    def encode(self, batch):
        time.sleep(SECONDS_A_SAMPLE * len(batch))
        return self.latents[: len(batch)]


def pictures() -> list[bytes]:
    """Read real photographs, or make pictures as large where there are none."""
    files = sorted(PHOTOGRAPHS.glob("*.jpg"))[:IMAGES]
    return [file.read_bytes() for file in files] or [_jpeg(number) for number in range(IMAGES)]


def _jpeg(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (384, 512, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


@pytest.mark.slow
def test_the_loop_costs_under_five_percent_of_the_bare_model(tmp_path, make_sample, write_samples):
    """Wall time, the best of several rounds, taken in turn; boxes are drawn, latents written."""
    rows = []
    for number, image in enumerate(pictures()):
        width, height = Image.open(io.BytesIO(image)).size
        boxes = [[width * f, height * f, width * (f + 0.5), height * (f + 0.5)] for f in (0.1, 0.4)]
        rows.append(make_sample(number, image=image, boxes=boxes, width=width, height=height))
    samples = write_samples(rows)
    encoder = OnDevice(DctOptions(size=512, batch_size=8))
    encoder.load()

    def bare() -> None:
        for _ in range(0, len(rows), 8):
            encoder.encode([None] * 8)

    def whole() -> None:
        encode_shard(samples, tmp_path / "out.arrow", encoder, "boxes", DrawOptions(), threads=2)

    def seconds(work) -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    times = [(seconds(bare), seconds(whole)) for _ in range(ROUNDS)]
    model, job = (min(column) for column in zip(*times, strict=True))
    log.info("bare model %.2f s, whole job %.2f s: %+.1f %%", model, job, 100 * (job / model - 1))
    assert job < 1.05 * model
