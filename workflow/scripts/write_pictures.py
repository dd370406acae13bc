"""Write the pictures that pages show of a sample that is opened."""

from latentmap.log import job_log
from latentmap.report.pictures import write_picture_names


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_picture_names(
            snakemake.input.samples,
            snakemake.params.max_points,
            snakemake.params.size,
            snakemake.params.image_url,
            snakemake.output.folder,
            snakemake.output.names,
        )


if __name__ == "__main__":
    main(snakemake)
