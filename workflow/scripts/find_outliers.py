"""Score how far each sample of an embedding is from what its label has elsewhere."""

from latentmap.log import job_log
from latentmap.metrics.outliers import OutlierOptions, write_outliers


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_outliers(
            snakemake.input.embedding,
            snakemake.input.neighbors,
            snakemake.input.samples,
            OutlierOptions(**snakemake.params.outliers),
            snakemake.output.outliers,
        )


if __name__ == "__main__":
    main(snakemake)
