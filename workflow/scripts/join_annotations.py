"""Join the tables of other tools to the samples."""

from latentmap.log import job_log
from latentmap.samples.annotations import AnnotationOptions, join_annotations


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        join_annotations(
            [AnnotationOptions(**options) for options in snakemake.params.annotations],
            snakemake.input.samples,
            snakemake.output.annotations,
        )


if __name__ == "__main__":
    main(snakemake)
