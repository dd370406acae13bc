"""Inspect the channels and positions of the latents of one encoder and variant."""

from latentmap.inspect.channels import InspectOptions, inspect_latents
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        inspect_latents(
            snakemake.input.latents,
            snakemake.input.samples,
            InspectOptions(**snakemake.params.options),
            snakemake.params.metric,
            metrics=snakemake.output.metrics,
            positions=snakemake.output.positions,
            maps=snakemake.output.maps,
        )


if __name__ == "__main__":
    main(snakemake)
