"""Export the latents of one encoder and variant."""

from latentmap.export.latents import export_latents
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        export_latents(
            snakemake.input.latents,
            snakemake.input.samples,
            snakemake.input.thumbnails,
            dict(zip(snakemake.params.formats, snakemake.output.files, strict=True)),
        )


if __name__ == "__main__":
    main(snakemake)
