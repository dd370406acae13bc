"""Write the pages of one kind that belong to one job."""

from latentmap.log import job_log
from latentmap.report.page import PAGES
from latentmap.store.results import Results


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        results = Results.open(snakemake.params.folder, snakemake.params.shards)
        PAGES.create(snakemake.params.page).write(results, **snakemake.wildcards)


if __name__ == "__main__":
    main(snakemake)
