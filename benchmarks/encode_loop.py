"""What the loop around a model costs: the bare model, and the whole job, on the same batches.

The model keeps a device busy and not the processor, for as long as a published VAE takes on a GPU;
images are decoded, boxes drawn and latents written beside it.

    python benchmarks/encode_loop.py
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoders.dct import BlockDct, DctOptions
from latentmap.encode.shard import encode_shard
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow

IMAGES = 64
BATCH = 8
ROUNDS = 5
SECONDS_A_SAMPLE = 0.04
WIDTH, HEIGHT = 512, 384


class OnDevice(BlockDct):
    """A model that takes its time elsewhere."""

    def load(self) -> None:
        """Make the latents that every batch gives."""
        self.latents = np.random.default_rng(0).normal(size=(BATCH, 16, 64, 64)).astype(np.float32)

    def encode(self, batch):
        """Wait, and return as many latents as there are samples."""
        time.sleep(SECONDS_A_SAMPLE * len(batch))
        return self.latents[: len(batch)]


def sample(number: int) -> dict[str, object]:
    """Make one sample: a JPEG of noise, which is slow to decode, with two boxes."""
    pixels = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=75)
    texts = {name: str(number) for name in ("id", "source", "label", "label_group", "source_group")}
    boxes = [[10.0, 10.0, 200.0, 200.0], [250.0, 50.0, 500.0, 300.0]]
    size = {"width": WIDTH, "height": HEIGHT}
    return {**texts, **size, "boxes": boxes, "image": buffer.getvalue(), "digest": ""}


def seconds(work: Callable[[], None]) -> float:
    """Return the wall time of some work."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Time model and job in turn, and print the medians."""
    encoder = OnDevice(DctOptions(size=512, batch_size=BATCH))
    encoder.load()
    with tempfile.TemporaryDirectory() as folder:
        samples, output = Path(folder) / "samples.arrow", Path(folder) / "latents.arrow"
        rows = [sample(number) for number in range(IMAGES)]
        write_arrow(samples, pa.Table.from_pylist(rows, schema=SCHEMA))

        def bare() -> None:
            for _ in range(0, IMAGES, BATCH):
                encoder.encode([None] * BATCH)

        def whole() -> None:
            encode_shard(samples, output, encoder, "boxes", DrawOptions(), threads=2)

        times = [(seconds(bare), seconds(whole)) for _ in range(ROUNDS)]
    model, job = (statistics.median(column) for column in zip(*times, strict=True))
    share = statistics.median(job / model for model, job in times) - 1
    print(f"bare model {model:.2f} s, whole job {job:.2f} s: {share:+.1%} (medians of {ROUNDS})")


if __name__ == "__main__":
    main()
