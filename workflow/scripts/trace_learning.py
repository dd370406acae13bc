"""Measure the best method of one encoder and variant on growing sets of source groups."""

from latentmap.log import job_log
from latentmap.metrics.learning import trace_learning
from latentmap.neighbors.search import NeighborOptions


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, chosen = snakemake.input, snakemake.params
        trace_learning(
            *(
                dict(zip(chosen.methods, paths, strict=True))
                for paths in (given.embeddings, given.neighbors, given.metrics)
            ),
            given.samples,
            chosen.headline,
            chosen.metrics,
            NeighborOptions(**chosen.neighbors),
            chosen.seed,
            snakemake.output.learning,
        )


if __name__ == "__main__":
    main(snakemake)
