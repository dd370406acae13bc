"""Export one embedding."""

from latentmap.export.latents import export_embedding
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        export_embedding(
            snakemake.input.embedding,
            snakemake.input.samples,
            dict(zip(snakemake.params.formats, snakemake.output.files, strict=True)),
        )


if __name__ == "__main__":
    main(snakemake)
