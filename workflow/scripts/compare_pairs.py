"""Measure what changes do to embeddings."""

from latentmap.log import job_log
from latentmap.metrics.inference import StatisticsOptions
from latentmap.targets.counterfactuals import compare_pairs
from latentmap.targets.pairs import PairOptions


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        compare_pairs(
            PairOptions(**snakemake.params.pairs),
            snakemake.input.samples,
            next(iter(snakemake.input.get("annotations", [])), None),
            list(
                zip(
                    map(tuple, snakemake.params.method_keys),
                    snakemake.input.embeddings,
                    strict=True,
                )
            ),
            snakemake.params.baselines,
            StatisticsOptions(**snakemake.params.statistics),
            snakemake.params.metric,
            snakemake.output.pairs,
        )


if __name__ == "__main__":
    main(snakemake)
