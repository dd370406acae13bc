"""Build the explorer's page from its sources."""

from pathlib import Path

from latentmap.explorer.bundle import build
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        build(Path(snakemake.params.sources), Path(snakemake.output[0]).parent)


if __name__ == "__main__":
    main(snakemake)
