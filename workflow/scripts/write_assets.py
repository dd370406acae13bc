"""Write what all pages of the report share."""

from latentmap.log import job_log
from latentmap.report.assets import write_assets
from latentmap.store.results import Results


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_assets(Results.open(snakemake.params.folder, snakemake.params.shards))


if __name__ == "__main__":
    main(snakemake)
