"""Encode one shard of samples, shown in one variant, with one encoder, and those that wait."""

from pathlib import Path

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.sealed import Shard, made_with
from latentmap.encode.shard import ShardEncoder
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    params, fit = snakemake.params, snakemake.input.fit

    def shard(samples, latents, samples_code):
        tracked = (params.encoder, params.revision, params.draw, params.code, samples_code)
        return Shard(Path(samples), Path(latents), made_with(tracked, fit))

    with job_log(snakemake.log[0]):
        shards = ShardEncoder(
            ENCODERS.create(**params.encoder),
            snakemake.wildcards.variant,
            DrawOptions(**params.draw),
            snakemake.threads,
            fit,
        )
        own = shard(snakemake.input.samples, snakemake.output.latents, params.samples_code)
        shards.encode_with_waiting(
            own, [shard(*one) for one in params.waiting["shards"]], params.waiting["since"]
        )


if __name__ == "__main__":
    main(snakemake)
