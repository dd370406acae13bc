"""Write the pictures that pages show of a sample that is opened."""

from latentmap.log import job_log
from latentmap.report.pictures import write_picture_names
from latentmap.store.results import Results


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_picture_names(Results.open(snakemake.params.folder, snakemake.params.shards))


if __name__ == "__main__":
    main(snakemake)
