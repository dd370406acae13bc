"""Encode one shard of samples, shown in one variant, with one encoder."""

from latentmap.draw.boxes import DrawOptions
from latentmap.encode.encoder import ENCODERS
from latentmap.encode.shard import encode_shard
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        encode_shard(
            snakemake.input.samples,
            snakemake.output.latents,
            ENCODERS.create(**snakemake.params.encoder),
            snakemake.wildcards.variant,
            DrawOptions(**snakemake.params.draw),
            snakemake.threads,
            snakemake.input.fit,
        )


if __name__ == "__main__":
    main(snakemake)
