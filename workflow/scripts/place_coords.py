"""Put exported coordinates beside the caches that they belong to."""

from latentmap.export.coords import place_copies
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        copies = dict(zip(snakemake.input.coords, snakemake.params.targets, strict=True))
        place_copies(copies, snakemake.params.overwrite)


if __name__ == "__main__":
    main(snakemake)
