"""Encode one shard of samples: decode images in threads while the model runs, and write once."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode.calibration import Calibration, calibrate, merge
from latentmap.encode.encoder import Encoder, EncoderOptions, FittedEncoder, Show
from latentmap.errors import LatentmapError
from latentmap.store.arrays import finite_rows
from latentmap.store.files import reading
from latentmap.store.latents import write_latents
from latentmap.store.tables import numbers, read_arrow, read_parquet

PREFETCHED_BATCHES = 2
SECONDS_BETWEEN_LINES = 10.0

log = logging.getLogger(__name__)

Inputs = list[NDArray[Any]]


def encode_shard(
    samples_path: Path | str,
    output_path: Path | str,
    encoder: Encoder[EncoderOptions],
    variant: str,
    draw_options: DrawOptions,
    threads: int = 1,
    fit_path: Path | str | None = None,
) -> None:
    """Encode a shard of samples and write its latents, with their calibration, in one go.

    A shard without rows gives a file of no rows and shape (0, 1), and loads no model.

    Args:
        samples_path: the shard of samples.
        output_path: the shard of latents to write.
        encoder: not yet loaded.
        variant: `plain` or `boxes`: what the encoder sees.
        draw_options: how boxes are drawn.
        threads: threads that decode and draw images beside the model.
        fit_path: what `fit_encoder` wrote, for an encoder that is fitted.

    Raises:
        LatentmapError: an image cannot be read, the model cannot be loaded or has no room for a
            single sample, or a latent is not finite.
    """
    samples = read_arrow(samples_path)
    latents: NDArray[Any] = np.zeros((0, 1), encoder.options.precision)
    calibration = None
    if len(samples):
        if isinstance(encoder, FittedEncoder):
            assert fit_path is not None
            fitted = read_parquet(fit_path)
            with reading(fit_path, "what this encoder has learned"):
                encoder.use(fitted)
        draw = partial(show, variant=variant, options=draw_options)
        title = f"{encoder.options.name} {variant}"
        latents, calibration = encode(samples, encoder, draw, threads, title, str(samples_path))
    drawn = draw_options.model_dump(mode="json") if variant == "boxes" else None
    metadata = _metadata(encoder, variant, drawn, calibration)
    write_latents(output_path, samples["id"].to_pylist(), latents, metadata)


def encode(
    samples: pa.Table,
    encoder: Encoder[EncoderOptions],
    draw: Show,
    threads: int,
    title: str,
    where: str,
) -> tuple[NDArray[Any], Calibration]:
    """Encode samples, at least one.

    Args:
        samples: a shard of samples, all columns.
        encoder: not yet loaded; one that is fitted has what it learned.
        draw: gives a sample's image as the variant shows it.
        threads: as for `encode_shard`.
        title: what progress is called.
        where: where the samples are, for messages.

    Returns:
        (n, C, H, W) or (n, D) latents in the precision of the encoder, and their calibration.

    Raises:
        LatentmapError: as for `encode_shard`.
    """
    encoder.load()
    order = encoder.order(samples)
    if order is not None:
        samples = samples.take(numbers(order))
    latents = np.zeros((0, 1), encoder.options.precision)
    parts: list[Calibration] = []
    progress = _Progress(len(samples), title)
    start = 0
    for batch in encoded_batches(samples, encoder, draw, threads):
        end = start + len(batch)
        rows = slice(start, end) if order is None else order[start:end]
        if start == 0:
            latents = np.empty((len(samples), *batch.shape[1:]), encoder.options.precision)
        with np.errstate(over="ignore"):
            latents[rows] = batch
        _check_finite(batch, latents[rows], samples["id"][start:end], where, encoder)
        parts.append(calibrate(batch, encoder.statistics()))
        start = end
        progress.advance(len(batch))
    progress.close()
    calibration = merge(parts)
    warning = calibration.warning()
    if warning:
        log.warning("%s", warning)
    return latents, calibration


def encoded_batches(
    samples: pa.Table, encoder: Encoder[EncoderOptions], draw: Show, threads: int
) -> Iterator[NDArray[np.float32]]:
    """Yield the latents of samples in order, a batch at a time, as large as the memory allows.

    Args:
        samples: a shard of samples, all columns, in the order in which to encode them.
        encoder: loaded.
        draw: gives a sample's image as the variant shows it.
        threads: threads that prepare samples, up to two batches ahead of the model.
    """
    size = encoder.options.batch_size
    for inputs in _prepared(samples, encoder, draw, threads):
        waiting: Sequence[NDArray[Any]] = inputs
        while waiting:
            latents = _try(encoder, waiting[:size])
            if latents is not None:
                waiting = waiting[size:]
                yield latents
            elif size == 1:
                raise LatentmapError(
                    f"The encoder '{encoder.options.name}' runs out of memory with a single "
                    "sample; give it a smaller size or a device with more memory."
                )
            else:
                size = (min(size, len(waiting)) + 1) // 2
                log.warning("Out of memory: going on with batches of %d.", size)


def _prepared(
    samples: pa.Table, encoder: Encoder[EncoderOptions], draw: Show, threads: int
) -> Iterator[Inputs]:
    """Yield batches of prepared samples, the next ones being made meanwhile."""
    size = encoder.options.batch_size
    with ThreadPoolExecutor(max(1, threads)) as pool:
        ahead: deque[list[Future[NDArray[Any]]]] = deque()
        try:
            for start in range(0, len(samples), size):
                rows = samples.slice(start, size).to_pylist()
                ahead.append([pool.submit(encoder.prepare, row, draw) for row in rows])
                if len(ahead) > PREFETCHED_BATCHES:
                    yield [future.result() for future in ahead.popleft()]
            while ahead:
                yield [future.result() for future in ahead.popleft()]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _try(
    encoder: Encoder[EncoderOptions], inputs: Sequence[NDArray[Any]]
) -> NDArray[np.float32] | None:
    """Encode, or return None when memory does not suffice.

    The error is dropped before the next try: its traceback holds the tensors that filled it.
    """
    try:
        return encoder.encode(inputs)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or _is_out_of_memory(str(error)):
            return None
        raise


def _is_out_of_memory(message: str) -> bool:
    """Whether a RuntimeError of torch says so: CUDA and MPS, or the allocator of the CPU."""
    return "out of memory" in message.lower() or "can't allocate memory" in message


def _check_finite(
    latents: NDArray[np.float32],
    stored: NDArray[Any],
    ids: pa.ChunkedArray,
    where: str,
    encoder: Encoder[EncoderOptions],
) -> None:
    """Fail if latents are not finite: as the encoder gives them, or as they are stored."""
    finite = finite_rows(stored)
    if finite.all():
        return
    bad = [str(ids[row]) for row in np.flatnonzero(~finite).tolist()]
    named = ", ".join(bad[:5]) + (f" and {len(bad) - 5} more" if len(bad) > 5 else "")
    which = f"The latents of {named} (in {where})"
    name = encoder.options.name
    if finite_rows(latents).all():
        largest = np.abs(latents).max()
        raise LatentmapError(
            f"{which} are too large for {stored.dtype} (up to {largest:.3g}). Set 'precision' of "
            f"the encoder '{name}' to float32."
        )
    remedy = "Leave these samples out."
    if getattr(encoder.options, "dtype", "float32") != "float32":
        remedy = "Set its 'dtype' to float32; if that does not help, leave these samples out."
    raise LatentmapError(f"{which} are not finite, as the encoder '{name}' gives them. {remedy}")


def _metadata(
    encoder: Encoder[EncoderOptions],
    variant: str,
    drawn: dict[str, Any] | None,
    calibration: Calibration | None,
) -> dict[str, Any]:
    return {
        "encoder": {
            "name": encoder.options.name,
            "kind": encoder.kind,
            "rank": encoder.rank,
            "revision": encoder.revision(),
            "settings": encoder.settings(),
            "variant": variant,
        },
        "draw": drawn,
        "calibration": calibration.to_json() if calibration else None,
    }


class _Progress:
    """Samples done, per second, and the time left: a bar on a terminal, lines in the log."""

    def __init__(self, total: int, title: str) -> None:
        self.bar = tqdm(total=total, desc=title, unit="sample", disable=None, leave=False)
        self.total = total
        self.title = title
        self.done = 0
        self.started = self.logged = time.monotonic()

    def advance(self, samples: int) -> None:
        self.done += samples
        self.bar.update(samples)
        if time.monotonic() - self.logged >= SECONDS_BETWEEN_LINES:
            self._log()

    def close(self) -> None:
        self.bar.close()
        self._log()

    def _log(self) -> None:
        self.logged = time.monotonic()
        rate = self.done / max(self.logged - self.started, 1e-9)
        log.info(
            "%s: %d of %d samples, %.1f samples/s, %.0f s left",
            self.title,
            self.done,
            self.total,
            rate,
            (self.total - self.done) / rate,
        )
