"""Write the JavaScript that every page contains to draw its charts."""

from latentmap.log import job_log
from latentmap.report.page import write_vega_bundle


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_vega_bundle(snakemake.output.bundle)


if __name__ == "__main__":
    main(snakemake)
