"""Find the nearest neighbors of every row of one embedding."""

import os

from latentmap.log import job_log
from latentmap.neighbors.search import NeighborOptions, find_graph


def main(snakemake):
    """Run the job."""
    # What searches approximately would take all cores of the machine.
    os.environ["RAYON_NUM_THREADS"] = str(snakemake.threads)
    with job_log(snakemake.log[0]):
        find_graph(
            snakemake.input.embedding,
            snakemake.input.samples,
            NeighborOptions(**snakemake.params.options),
            snakemake.output.neighbors,
        )


if __name__ == "__main__":
    main(snakemake)
