"""Fetch a remote source of samples into one local file."""

from pathlib import Path

from latentmap.log import job_log
from latentmap.samples.source import SOURCES


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        source = SOURCES.create(**snakemake.params.source)
        source.download_to(Path(snakemake.output[0]))


if __name__ == "__main__":
    main(snakemake)
