"""Export what is known of the samples."""

from latentmap.export.columns import write_csv
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_csv(snakemake.output.csv, snakemake.input.samples)


if __name__ == "__main__":
    main(snakemake)
