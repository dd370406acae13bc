"""Export the coordinates of one embedding's maps in the order of the cache that it comes from."""

from latentmap.export.coords import export_coords
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        export_coords(
            snakemake.input.maps,
            snakemake.params.cache,
            snakemake.params.column,
            snakemake.output.coords,
        )


if __name__ == "__main__":
    main(snakemake)
