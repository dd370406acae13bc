"""Compare the maps of the pooling methods of one encoder and variant."""

from latentmap.log import job_log
from latentmap.metrics.method_agreement import compare_maps


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        compare_maps(
            snakemake.params.maps,
            snakemake.input.maps,
            snakemake.input.samples,
            snakemake.output.agreement,
        )


if __name__ == "__main__":
    main(snakemake)
