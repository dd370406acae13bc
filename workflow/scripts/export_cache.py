"""Write the latents of one encoder and variant as a cache, at a path of the user's."""

from latentmap.export.latents import export_cache
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        export_cache(
            snakemake.input.latents,
            snakemake.input.samples,
            snakemake.input.thumbnails,
            snakemake.output.cache,
            snakemake.params.run,
        )


if __name__ == "__main__":
    main(snakemake)
