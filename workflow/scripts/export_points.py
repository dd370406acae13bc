"""Export one 3D map for viewers of point clouds."""

from latentmap.export.points import export_points
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        export_points(
            snakemake.input.projection,
            snakemake.input.weights,
            snakemake.input.samples,
            snakemake.input.labels,
            snakemake.output.points,
        )


if __name__ == "__main__":
    main(snakemake)
