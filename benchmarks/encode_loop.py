"""What the loop around a model costs: the bare model, and the whole job, on the same batches.

Of images, the model keeps a device busy and not the processor, for as long as a published VAE takes
on a GPU; images are decoded, boxes drawn and latents written beside it. Of texts, it is the
embedded sentence encoder on the processor, against `SentenceTransformer.encode`.

    python benchmarks/encode_loop.py
    python benchmarks/encode_loop.py --texts
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoders.dct import BlockDct, DctOptions
from latentmap.encode.encoders.sentence import Sentence, SentenceOptions
from latentmap.encode.shard import encode_shard
from latentmap.store.samples import SCHEMA
from latentmap.store.tables import write_arrow

IMAGES = 64
BATCH = 8
ROUNDS = 15
SECONDS_A_SAMPLE = 0.04
WIDTH, HEIGHT = 512, 384
TEXTS = 128
CORE = ("id", "source", "label", "label_group", "source_group")


class OnDevice(BlockDct):
    """A model that takes its time elsewhere."""

    def load(self) -> None:
        """Make the latents that every batch gives."""
        self.latents = np.random.default_rng(0).normal(size=(BATCH, 16, 64, 64)).astype(np.float32)

    def encode(self, batch):
        """Wait, and return as many latents as there are samples."""
        time.sleep(SECONDS_A_SAMPLE * len(batch))
        return self.latents[: len(batch)]


class Loaded(Sentence):
    """The embedded sentence encoder, loaded before the clock runs."""

    def load(self) -> None:
        """Keep the model that is there."""


def sample(number: int) -> dict[str, object]:
    """Make one sample: a JPEG of noise, which is slow to decode, with two boxes."""
    pixels = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=75)
    boxes = [[10.0, 10.0, 200.0, 200.0], [250.0, 50.0, 500.0, 300.0]]
    size = {"width": WIDTH, "height": HEIGHT}
    core = dict.fromkeys(CORE, str(number))
    return {**core, **size, "boxes": boxes, "image": buffer.getvalue(), "digest": ""}


def docstrings() -> list[str]:
    """Return the first paragraphs of the standard library's first docstrings, by file."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        nodes = ast.walk(ast.parse(path.read_bytes()))
        defined = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef))
        texts = (ast.get_docstring(node) or "" for node in defined)
        found += filter(None, (text.partition("\n\n")[0] for text in texts))
    return found[:TEXTS]


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the wall and the processor time of some work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(what: str, count: int, bare: Callable[[], object], whole: Callable[[], object]) -> None:
    """Time model and job in turn, and print the medians."""
    times = np.array([(seconds(bare), seconds(whole)) for _ in range(ROUNDS)])
    for name, (model, job) in zip(("wall", "CPU"), times.transpose(2, 1, 0), strict=True):
        share = statistics.median(job / model) - 1
        bare_s, job_s = statistics.median(model), statistics.median(job)
        print(
            f"{what}, {name}: bare model {bare_s:.2f} s ({count / bare_s:.0f}/s), whole job "
            f"{job_s:.2f} s (medians of {ROUNDS}); {share:+.1%} in the median pair"
        )


def main() -> None:
    """Compare the bare model and the job around it, of images or of texts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", action="store_true", help="the sentence encoder on docstrings")
    of_texts = parser.parse_args().texts
    with tempfile.TemporaryDirectory() as folder:
        samples, output = Path(folder) / "samples.arrow", Path(folder) / "latents.arrow"
        (time_texts if of_texts else time_images)(samples, output)


def time_images(samples: Path, output: Path) -> None:
    """Time a model that takes its time elsewhere."""
    encoder = OnDevice(DctOptions(size=512, batch_size=BATCH))
    encoder.load()
    rows = [sample(number) for number in range(IMAGES)]
    write_arrow(samples, pa.Table.from_pylist(rows, schema=SCHEMA))

    def bare() -> None:
        for _ in range(0, IMAGES, BATCH):
            encoder.encode([None] * BATCH)

    def whole() -> None:
        encode_shard(samples, output, encoder, "boxes", DrawOptions(), threads=2)

    compare("images", IMAGES, bare, whole)


def time_texts(samples: Path, output: Path) -> None:
    """Time the embedded sentence encoder."""
    encoder = Loaded(SentenceOptions(name="sentence"))
    Sentence.load(encoder)
    texts = docstrings()
    rows = [
        {**dict.fromkeys(CORE, str(number)), "text": text, "digest": ""}
        for number, text in enumerate(texts)
    ]
    write_arrow(samples, pa.Table.from_pylist(rows, schema=SCHEMA))
    size = encoder.options.batch_size
    model = encoder._model

    def bare() -> None:
        model.encode(texts, batch_size=size, show_progress_bar=False)

    def whole() -> None:
        encode_shard(samples, output, encoder, "plain", DrawOptions(), threads=2)

    compare("texts", len(texts), bare, whole)


if __name__ == "__main__":
    main()
