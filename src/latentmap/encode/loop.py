"""The loop around a model: what comes next is begun before what came before is finished.

While the model is busy with one batch, threads decode and draw the next ones, the one after it is
on its way to the device, and the one before it becomes part of a shard.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tqdm import tqdm

from latentmap.encode.calibration import Calibration, calibrate, merge
from latentmap.encode.encoder import Encoder, EncoderOptions, Finish, Show
from latentmap.errors import LatentmapError
from latentmap.store.arrays import finite_rows
from latentmap.store.tables import numbers

PREFETCHED_BATCHES = 2
BATCHES_BEFORE_GROWTH = 32
"""Batches that must have gone well before a larger one is tried again; twice as many each time."""

SECONDS_BETWEEN_LINES = 10.0

T = TypeVar("T")
U = TypeVar("U")

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Table:
    """Samples that are encoded together: a shard.

    Attributes:
        samples: all columns, at least one row.
        where: they are, for messages.
    """

    samples: pa.Table
    where: str


class Encoded(NamedTuple):
    """What a table's samples became.

    Attributes:
        table: the samples.
        latents: (n, C, H, W) or (n, D), in the precision of the encoder.
        calibration: of these latents.
        batch_size: the least that memory allowed on the way.
    """

    table: Table
    latents: NDArray[Any]
    calibration: Calibration
    batch_size: int


def encode(
    tables: Iterable[Table],
    encoder: Encoder[EncoderOptions],
    draw: Show,
    threads: int,
    title: str,
) -> Iterator[Encoded]:
    """Encode tables of samples, each as it would be by itself.

    Batches hold samples of one table only, so that the bytes of a table's latents do not depend on
    the tables before it. An error in one table comes after all tables before it.

    Args:
        tables: taken when threads have room for their samples, before the last one is finished.
        encoder: loaded.
        draw: gives a sample's image as the variant shows it.
        threads: threads that prepare samples, up to two batches ahead of the model.
        title: what progress is called.

    Raises:
        LatentmapError: an image cannot be read, the model has no room for a single sample, or a
            latent is not finite.
    """
    gathered: _Gathered | None = None
    with closing(_prepared(tables, encoder, draw, threads)) as prepared:
        batches = _begun(prepared, encoder)
        for batch, latents in _under_way(batches, encoder.begun, lambda one: (one, one.finish())):
            if gathered is None:
                gathered = _Gathered(batch.table, encoder, title)
            gathered.add(latents, batch.size)
            if gathered.is_whole:
                yield gathered.encoded()
                gathered = None


class _Ordered:
    """A table in the order in which its samples are best encoded."""

    def __init__(self, table: Table, encoder: Encoder[EncoderOptions]) -> None:
        self.table = table
        self.order = encoder.order(table.samples)
        samples = table.samples
        self.samples = samples if self.order is None else samples.take(numbers(self.order))


_Inputs = tuple[_Ordered, list[NDArray[Any]]]
"""Prepared samples of a table, the next ones in its order."""


class _Batch(NamedTuple):
    """A batch of prepared samples that the model has been given, of at most `size`."""

    table: _Ordered
    size: int
    finish: Finish


def _prepared(
    tables: Iterable[Table], encoder: Encoder[EncoderOptions], draw: Show, threads: int
) -> Generator[_Inputs]:
    """Yield batches of prepared samples, the next ones being made meanwhile."""
    size = encoder.options.batch_size

    def begun() -> Iterator[tuple[_Ordered, list[Future[NDArray[Any]]]]]:
        for table in (_Ordered(table, encoder) for table in tables):
            for start in range(0, len(table.samples), size):
                rows = table.samples.slice(start, size).to_pylist()
                yield table, [pool.submit(encoder.prepare, row, draw) for row in rows]

    def finish(batch: tuple[_Ordered, list[Future[NDArray[Any]]]]) -> _Inputs:
        table, futures = batch
        return table, [future.result() for future in futures]

    with ThreadPoolExecutor(max(1, threads)) as pool:
        try:
            yield from _under_way(begun(), PREFETCHED_BATCHES, finish)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begun(prepared: Iterable[_Inputs], encoder: Encoder[EncoderOptions]) -> Iterator[_Batch]:
    """Give batches to the model, as large as the memory allows."""
    size = _BatchSize(encoder.options.batch_size)
    for table, inputs in prepared:
        waiting: Sequence[NDArray[Any]] = inputs
        while waiting:
            tried = waiting[: size.now]
            finish = _try(encoder, tried)
            if finish is not None:
                waiting = waiting[size.now :]
                yield _Batch(table, size.now, finish)
                size.grow()
            elif len(tried) == 1:
                raise LatentmapError(
                    f"The encoder '{encoder.options.name}' runs out of memory with a single "
                    "sample; give it a smaller size or a device with more memory."
                )
            else:
                size.halve(len(tried))


class _BatchSize:
    """How many samples the model is given: half as many where memory does not suffice.

    Other processes may have had the memory only for a while, so twice as many are tried again
    later, and ever more rarely if that fails.
    """

    def __init__(self, most: int) -> None:
        self.now = self.most = most
        self._patience = BATCHES_BEFORE_GROWTH
        self._went_well = 0

    def halve(self, tried: int) -> None:
        """Take half of what did not go."""
        if self.now < self.most:
            self._patience *= 2
        self.now, self._went_well = (tried + 1) // 2, 0
        log.warning("Out of memory: going on with batches of %d.", self.now)

    def grow(self) -> None:
        """Note that a batch went well, and try more when enough have."""
        self._went_well += 1
        if self.now < self.most and self._went_well >= self._patience:
            self.now, self._went_well = min(self.most, 2 * self.now), 0
            log.info("Trying batches of %d again.", self.now)


def _try(encoder: Encoder[EncoderOptions], inputs: Sequence[NDArray[Any]]) -> Finish | None:
    """Begin to encode, or return None when memory does not suffice.

    The error is dropped before the next try: its traceback holds the tensors that filled it.
    """
    try:
        return encoder.begin(inputs)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or _is_out_of_memory(str(error)):
            return None
        raise


def _is_out_of_memory(message: str) -> bool:
    """Whether a RuntimeError of torch says so: CUDA and MPS, or the allocator of the CPU."""
    return "out of memory" in message.lower() or "can't allocate memory" in message


def _under_way(begun: Iterator[T], most: int, finish: Callable[[T], U]) -> Iterator[U]:
    """Finish what is begun, in order, each when up to `most` further ones are begun.

    Where one cannot be begun, those before it are finished; then its error is raised.
    """
    waiting: deque[T] = deque()
    for item in _with_error(begun):
        if isinstance(item, Exception):
            yield from map(finish, waiting)
            raise item
        waiting.append(item)
        if len(waiting) > most:
            yield finish(waiting.popleft())
    yield from map(finish, waiting)


def _with_error(items: Iterator[T]) -> Iterator[T | Exception]:
    try:
        yield from items
    except Exception as error:
        yield error


class _Gathered:
    """The latents of one table, as its batches come."""

    def __init__(self, table: _Ordered, encoder: Encoder[EncoderOptions], title: str) -> None:
        self._table = table
        self._encoder = encoder
        self._latents = np.zeros((0, 1), encoder.options.precision)
        self._parts: list[Calibration] = []
        self._batch_size = encoder.options.batch_size
        self._done = 0
        self._progress = _Progress(len(table.samples), title)

    @property
    def is_whole(self) -> bool:
        """Whether all of its samples are encoded."""
        return self._done == len(self._table.samples)

    def add(self, batch: NDArray[np.float32], size: int) -> None:
        """Take the latents of the next samples, which were encoded at most `size` at once."""
        table, start, end = self._table, self._done, self._done + len(batch)
        if start == 0:
            shape = (len(table.samples), *batch.shape[1:])
            self._latents = np.empty(shape, self._encoder.options.precision)
        rows = slice(start, end) if table.order is None else table.order[start:end]
        with np.errstate(over="ignore"):
            self._latents[rows] = batch
        ids = table.samples["id"][start:end]
        _check_finite(batch, self._latents[rows], ids, table.table.where, self._encoder)
        self._parts.append(calibrate(batch, self._encoder.statistics()))
        self._done = end
        self._batch_size = min(self._batch_size, size)
        self._progress.advance(len(batch))

    def encoded(self) -> Encoded:
        """Return what is there when all samples are."""
        self._progress.close()
        calibration = merge(self._parts)
        warning = calibration.warning()
        if warning:
            log.warning("%s", warning)
        return Encoded(self._table.table, self._latents, calibration, self._batch_size)


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
