"""Export one chart of the report for publication."""

from latentmap.log import job_log
from latentmap.report.publish import write_figure


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_figure(snakemake.input.page, snakemake.params.chart, **dict(snakemake.output.items()))


if __name__ == "__main__":
    main(snakemake)
