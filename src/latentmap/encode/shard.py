"""Encode shards of samples: one, and then with the same model those that wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from latentmap.draw.boxes import DrawOptions, show
from latentmap.encode.encoder import Encoder, EncoderOptions, FittedEncoder
from latentmap.encode.loop import Encoded, Table, encode
from latentmap.encode.sealed import Claims, Shard
from latentmap.store.files import reading
from latentmap.store.latents import write_latents
from latentmap.store.tables import read_arrow, read_parquet

LONGEST_JOB = 600.0
"""Seconds after which a job begins no further shard: against them, to load a model is little."""

log = logging.getLogger(__name__)


class ShardEncoder:
    """Encodes shards with one model, which is loaded with the first of them that has samples.

    Args:
        encoder: loaded or not.
        variant: `plain` or `boxes`: what the encoder sees.
        draw_options: how boxes are drawn.
        threads: threads that decode and draw images beside the model.
        fit_path: what `fit_encoder` wrote, for an encoder that is fitted.
    """

    def __init__(
        self,
        encoder: Encoder[EncoderOptions],
        variant: str,
        draw_options: DrawOptions,
        threads: int = 1,
        fit_path: Path | str | None = None,
    ) -> None:
        self._encoder = encoder
        self._variant = variant
        self._draw_options = draw_options
        self._threads = threads
        self._fit_path = fit_path

    def encode(self, samples_path: Path | str, output_path: Path | str) -> None:
        """Encode a shard of samples and write its latents, with their calibration, in one go.

        A shard without rows gives a file of no rows and shape (0, 1), and loads no model.

        Raises:
            LatentmapError: an image cannot be read, the model cannot be loaded or has no room for a
                single sample, or a latent is not finite.
        """
        samples = read_arrow(samples_path)
        if len(samples):
            for encoded in self._encoded([Table(samples, str(samples_path))]):
                self._write(encoded, output_path)
        else:
            latents = np.zeros((0, 1), self._encoder.options.precision)
            write_latents(output_path, [], latents, self._metadata(None))

    def encode_with_waiting(self, first: Shard, waiting: Sequence[Shard], since: float) -> None:
        """Encode a shard, unless that is done, and go on with those that wait.

        Each is sealed while the next one is encoded. What is wrong with one that waits is left for
        its own job to say.

        Args:
            first: whose job this is.
            waiting: others of the same encoder and variant, in the order in which to take them.
            since: when the run began, in seconds since the epoch.

        Raises:
            LatentmapError: as for `encode`, of the first one.
        """
        claims = Claims(first.output.parent, since)
        claims.wait_for(first)
        if first.take():
            log.info("%s was encoded by another job.", first.output.name)
            return
        if not _has_rows(first.samples):
            self.encode(first.samples, first.output)
            return
        shards: dict[str, Shard] = {}
        try:
            with _Writer() as writer:
                for encoded in self._encoded(_tables(first, waiting, claims, shards)):
                    shard = shards[encoded.table.where]
                    writer.submit(self._write, encoded, shard.output, shard.sealed)
        except Exception as error:
            if not first.sealed.exists():
                raise
            log.warning("The shards that wait are left to their own jobs: %s", error)
        first.take()

    def _encoded(self, tables: Sequence[Table] | Iterator[Table]) -> Iterator[Encoded]:
        encoder, variant = self._encoder, self._variant
        if isinstance(encoder, FittedEncoder) and not encoder.is_loaded:
            assert self._fit_path is not None
            fitted = read_parquet(self._fit_path)
            with reading(self._fit_path, "what this encoder has learned"):
                encoder.use(fitted)
        encoder.be_loaded()
        draw = partial(show, variant=variant, options=self._draw_options)
        return encode(tables, encoder, draw, self._threads, f"{encoder.options.name} {variant}")

    def _write(
        self, encoded: Encoded, output_path: Path | str, written: Path | None = None
    ) -> None:
        ids = encoded.table.samples["id"].to_pylist()
        write_latents(output_path, ids, encoded.latents, self._metadata(encoded), written)

    def _metadata(self, encoded: Encoded | None) -> dict[str, Any]:
        encoder = self._encoder
        metadata = described(encoder, self._variant, self._draw_options)
        metadata["calibration"] = encoded.calibration.to_json() if encoded else None
        if encoded and encoded.batch_size < encoder.options.batch_size:
            metadata["batch_size"] = encoded.batch_size
        return metadata


def described(
    encoder: Encoder[EncoderOptions], variant: str, draw_options: DrawOptions
) -> dict[str, Any]:
    """Return what latents are said to be made with, as it is stored with them."""
    return {
        "encoder": {
            "name": encoder.options.name,
            "kind": encoder.kind,
            "rank": encoder.rank,
            "revision": encoder.revision(),
            "settings": encoder.settings(),
            "variant": variant,
        },
        "draw": draw_options.model_dump(mode="json") if variant == "boxes" else None,
    }


def encode_shard(
    samples_path: Path | str,
    output_path: Path | str,
    encoder: Encoder[EncoderOptions],
    variant: str,
    draw_options: DrawOptions,
    threads: int = 1,
    fit_path: Path | str | None = None,
) -> None:
    """Encode one shard; arguments as for `ShardEncoder` and its `encode`."""
    shards = ShardEncoder(encoder, variant, draw_options, threads, fit_path)
    shards.encode(samples_path, output_path)


def _tables(
    first: Shard, waiting: Sequence[Shard], claims: Claims, shards: dict[str, Shard]
) -> Iterator[Table]:
    """Yield the samples of a shard and of those that wait and nobody has; note them in `shards`."""
    started = time.monotonic()
    for shard in (first, *waiting):
        if shard is not first:
            if time.monotonic() - started > LONGEST_JOB:
                return
            if not claims.try_for(shard):
                continue
        table = Table(read_arrow(shard.samples), str(shard.samples))
        if len(table.samples):
            shards[table.where] = shard
            yield table


def _has_rows(path: Path) -> bool:
    return len(read_arrow(path, ["id"])) > 0


class _Writer:
    """Writes one shard in a thread while the next one is encoded; the last error comes out."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def __enter__(self) -> _Writer:
        return self

    def submit(self, *call: Any) -> None:
        """Write, once the one before is written."""
        self._wait()
        self._last = self._pool.submit(*call)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def __exit__(self, *error: object) -> None:
        with self._pool:
            self._wait()
