"""Compare what the methods of a run keep of every target."""

from latentmap.log import job_log
from latentmap.metrics.inference import StatisticsOptions
from latentmap.targets.compare import compare_targets


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        compare_targets(
            snakemake.params.method_keys,
            snakemake.input.kept,
            snakemake.input.draws,
            snakemake.input.facts,
            snakemake.params.baselines,
            StatisticsOptions(**snakemake.params.statistics),
            snakemake.output.kept,
        )


if __name__ == "__main__":
    main(snakemake)
