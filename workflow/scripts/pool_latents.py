"""Pool the latents of one encoder and variant with one method."""

from latentmap.log import job_log
from latentmap.pool.embed import pool_latents
from latentmap.pool.method import METHODS


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        pool_latents(
            METHODS.create(snakemake.wildcards.method),
            snakemake.input.latents,
            snakemake.input.samples,
            snakemake.output.embedding,
        )


if __name__ == "__main__":
    main(snakemake)
