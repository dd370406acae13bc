"""Find the nearest neighbors of every row of one embedding."""

from latentmap.log import job_log
from latentmap.neighbors.search import NeighborOptions, find_graph


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        find_graph(
            snakemake.input.embedding,
            snakemake.input.samples,
            NeighborOptions(**snakemake.params.options),
            snakemake.output.neighbors,
        )


if __name__ == "__main__":
    main(snakemake)
