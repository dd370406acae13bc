"""Rank the methods of a run."""

from latentmap.log import job_log
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.ranking import rank_methods


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        rank_methods(
            snakemake.params.method_keys,
            snakemake.input.metrics,
            snakemake.input.scores,
            snakemake.input.samples,
            snakemake.params.headline,
            snakemake.params.baselines,
            StatisticsOptions(**snakemake.params.statistics),
            snakemake.output.ranking,
        )


if __name__ == "__main__":
    main(snakemake)
