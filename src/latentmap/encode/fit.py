"""Fit an encoder to all samples of a run, once, before any shard is encoded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentmap.encode.encoder import EncoderOptions, FittedEncoder
from latentmap.errors import LatentmapError
from latentmap.store.samples import SCHEMA, read_samples
from latentmap.store.tables import write_parquet


def fit_encoder(
    sample_paths: Sequence[Path | str],
    output_path: Path | str,
    encoder: FittedEncoder[EncoderOptions],
) -> None:
    """Write what an encoder learns from all samples of a run.

    Args:
        sample_paths: the shards of samples, in the manifest's order.
        output_path: the Parquet file to write.
        encoder: not yet fitted.

    Raises:
        LatentmapError: there are no samples, or the encoder can learn nothing from them.
    """
    samples = read_samples(sample_paths, SCHEMA.names)
    if not len(samples):
        raise LatentmapError(
            f"There is no sample to fit the encoder '{encoder.options.name}' to: all rows were set "
            "aside. The tables in samples/quarantine/ of the run say why, and what to correct."
        )
    write_parquet(output_path, encoder.fit(samples))
