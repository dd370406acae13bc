"""Write the data of the explorer."""

from latentmap.explorer.write import write_explorer
from latentmap.log import job_log
from latentmap.store.results import Results


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_explorer(Results.open(snakemake.params.folder, snakemake.params.shards))


if __name__ == "__main__":
    main(snakemake)
