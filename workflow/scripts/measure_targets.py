"""Measure how much of every target an embedding keeps."""

from latentmap.log import job_log
from latentmap.metrics.inference import StatisticsOptions
from latentmap.targets.measure import measure_targets


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        measure_targets(
            snakemake.input.embedding,
            snakemake.input.neighbors,
            snakemake.input.samples,
            snakemake.input.targets,
            snakemake.input.facts,
            StatisticsOptions(**snakemake.params.statistics),
            snakemake.output.kept,
            snakemake.output.draws,
            snakemake.output.predictions,
        )


if __name__ == "__main__":
    main(snakemake)
