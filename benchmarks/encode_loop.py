"""What the loop around a model costs: the bare model, and the whole job, on the same batches.

Of images, the model keeps a device busy and not the processor, for as long as a published VAE takes
on a GPU; images are decoded, boxes drawn and latents written beside it. Of texts, it is the
embedded sentence encoder on the processor, against `SentenceTransformer.encode`.

With `--gpus` an autoencoder of Stable Diffusion's size, with random weights, encodes on one GPU,
two and so on, a process each; without a GPU the embedded one does on the processor, as a trial.

    python benchmarks/encode_loop.py
    python benchmarks/encode_loop.py --texts
    python benchmarks/encode_loop.py --gpus [--dtype bfloat16]
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import os
import statistics
import subprocess
import sys
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
    parser.add_argument("--gpus", action="store_true", help="a real model, by number of GPUs")
    parser.add_argument("--dtype", default="float32", help="of that model")
    parser.add_argument("--worker", metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args()
    of_texts = given.texts
    if given.worker:
        print(json.dumps(time_device(Path(given.worker), given.dtype)))
        return
    if given.gpus:
        time_gpus(given.dtype)
        return
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


def time_gpus(dtype: str) -> None:
    """Print images a second of the bare model and of the job, by number of GPUs."""
    import torch

    from latentmap.encode.devices import VISIBLE

    count = torch.cuda.device_count()
    name = torch.cuda.get_device_name() if count else "no GPU: tiny-vae on the processor"
    print(f"{name}, {dtype}, torch {torch.__version__}, load {os.getloadavg()[0]:.1f}")
    print("GPUs  bare images/s  job images/s  job of bare  busy")
    with tempfile.TemporaryDirectory() as folder:
        make_work(Path(folder), large=count > 0)
        single = 0.0
        for used in sorted({1, *(n for n in (2, 4, 8) if n <= count), count or 1}):
            command = [sys.executable, __file__, "--worker", folder, "--dtype", dtype]
            workers = [
                subprocess.Popen(
                    command,
                    env={**os.environ, VISIBLE: str(gpu) if count else ""},
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for gpu in range(used)
            ]
            outputs = [worker.communicate()[0] for worker in workers]
            found = [json.loads(output.splitlines()[-1]) for output in outputs]
            bare, job = (sum(one[key] for one in found) for key in ("bare", "job"))
            busy = min(one["busy"] for one in found)
            single = single or job
            print(
                f"{used:4}  {bare:13.1f}  {job:12.1f}  {job / bare:11.1%}  {busy:4.0%}"
                f"  {job / single:.2f} times one"
            )


def make_work(folder: Path, large: bool) -> None:
    """Write a model, and shards of samples to encode with it."""
    import torch
    from diffusers import AutoencoderKL

    if large:
        torch.manual_seed(0)
        blocks = 4
        AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            latent_channels=4,
            down_block_types=("DownEncoderBlock2D",) * blocks,
            up_block_types=("UpDecoderBlock2D",) * blocks,
        ).save_pretrained(folder / "model")
    else:
        (folder / "model").symlink_to(Path(__file__).parents[1] / "resources" / "tiny-vae")
    rows = [sample(number) for number in range(IMAGES)] * (16 if large else 1)
    for shard in range(3):
        write_arrow(folder / f"samples{shard}.arrow", pa.Table.from_pylist(rows, schema=SCHEMA))


def time_device(folder: Path, dtype: str) -> dict[str, float]:
    """Return images a second of bare model and job, and the share of time the model is busy."""
    import torch

    from latentmap.encode.encoders.vae import Vae, VaeOptions
    from latentmap.encode.sealed import Shard
    from latentmap.encode.shard import ShardEncoder

    on_gpu = torch.cuda.is_available()
    size = 512 if on_gpu else 64
    options = {"name": "vae", "model": str(folder / "model"), "size": size, "dtype": dtype}
    encoder = Vae(VaeOptions(batch_size=BATCH, **options))
    encoder.be_loaded()
    images = torch.zeros((BATCH, size, size, 3), dtype=torch.uint8, device=encoder._device)
    busy: list[tuple[float, float] | tuple[torch.cuda.Event, torch.cuda.Event]] = []
    model = encoder._latents

    def now() -> float | torch.cuda.Event:
        if not on_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seen(batch: torch.Tensor) -> torch.Tensor:
        start = now()
        latents = model(batch)
        busy.append((start, now()))
        return latents

    def bare() -> None:
        with torch.inference_mode():
            for _ in range(batches):
                model(images)
        if on_gpu:
            torch.cuda.synchronize()

    batches = 3
    bare()  # kernels are chosen and memory is taken
    work = [
        Shard(path, folder / f"{os.getpid()}-{path.name}", "benchmark")
        for path in sorted(folder.glob("samples*.arrow"))
    ]
    batches = 40 if on_gpu else 5
    bare_s, _ = seconds(bare)
    encoder._latents = seen  # type: ignore[method-assign]
    shards = ShardEncoder(encoder, "boxes", DrawOptions(), threads=len(os.sched_getaffinity(0)))
    job_s, _ = seconds(lambda: shards.encode_with_waiting(work[0], work[1:], time.time()))
    spans = [a.elapsed_time(b) / 1e3 if on_gpu else b - a for a, b in busy]
    count = len(spans) * BATCH
    return {"bare": batches * BATCH / bare_s, "job": count / job_s, "busy": sum(spans) / job_s}


if __name__ == "__main__":
    main()
