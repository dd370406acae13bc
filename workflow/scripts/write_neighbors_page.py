"""Write the page about the neighbors that the best method of one encoder and variant finds."""

from latentmap.log import job_log
from latentmap.metrics.agreement import NeighborMetricOptions
from latentmap.neighbors.search import NeighborOptions
from latentmap.report.neighbor_page import write_neighbors_page


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, params = snakemake.input, snakemake.params
        write_neighbors_page(
            snakemake.output.page,
            encoder=snakemake.wildcards.encoder,
            variant=snakemake.wildcards.variant,
            keys=params.method_keys,
            metrics=given.metrics,
            headline=params.headline,
            agreement=given.agreement,
            embeddings=given.embeddings,
            graphs=given.graphs,
            samples=given.samples,
            thumbnails=given.thumbnails,
            labels=given.labels,
            options=NeighborMetricOptions(**params.options),
            search=NeighborOptions(**params.search),
            bundle=given.bundle,
            home=params.home,
        )


if __name__ == "__main__":
    main(snakemake)
