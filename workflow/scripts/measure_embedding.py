"""Measure how well one embedding separates the labels."""

from latentmap.log import job_log
from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.measure import measure_embedding
from latentmap.neighbors.search import NeighborOptions


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        measure_embedding(
            snakemake.input.embedding,
            snakemake.input.neighbors,
            snakemake.input.samples,
            snakemake.params.metrics,
            StatisticsOptions(**snakemake.params.statistics),
            DensityOptions(**snakemake.params.density),
            NeighborOptions(**snakemake.params.neighbors),
            snakemake.output.metrics,
            snakemake.output.scores,
            snakemake.output.weights,
        )


if __name__ == "__main__":
    main(snakemake)
