"""Measure how far to trust the maps of one embedding."""

from latentmap.log import job_log
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import TrustOptions, assess_maps


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        assess_maps(
            snakemake.input.embedding,
            snakemake.input.neighbors,
            snakemake.input.samples,
            snakemake.input.projections,
            [PROJECTIONS.create(**created) for created in snakemake.params.projections],
            TrustOptions(**snakemake.params.options),
            snakemake.output.trust,
            snakemake.params.is_measured,
        )


if __name__ == "__main__":
    main(snakemake)
