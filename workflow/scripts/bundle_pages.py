"""Make one file of every page of a report."""

from latentmap.log import job_log
from latentmap.report.assets import bundle
from latentmap.store.files import write_text


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        for page, output in zip(snakemake.input.pages, snakemake.output, strict=True):
            write_text(output, bundle(page))


if __name__ == "__main__":
    main(snakemake)
