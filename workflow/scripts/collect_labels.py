"""Write the labels of a run and their colours."""

from latentmap.log import job_log
from latentmap.report.labels import collect_labels


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        collect_labels(
            snakemake.input.samples, snakemake.params.label_groups, snakemake.output.labels
        )


if __name__ == "__main__":
    main(snakemake)
