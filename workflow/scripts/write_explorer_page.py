"""Write the page of the explorer."""

from pathlib import Path

from latentmap.explorer.page import write_page
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        bundle = Path(snakemake.input.page[0]).parent
        write_page(bundle, Path(snakemake.output.page).parent)


if __name__ == "__main__":
    main(snakemake)
