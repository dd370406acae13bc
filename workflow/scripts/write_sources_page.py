"""Write the page about how the sources differ in the embeddings of one encoder and variant."""

from latentmap.log import job_log
from latentmap.report.options import ReportOptions
from latentmap.report.source_page import write_sources_page


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, params = snakemake.input, snakemake.params
        write_sources_page(
            snakemake.output.page,
            encoder=snakemake.wildcards.encoder,
            variant=snakemake.wildcards.variant,
            keys=params.source_keys,
            comparisons=given.sources,
            metrics=given.metrics,
            headline=params.headline,
            agreement=given.agreement,
            map_keys=params.map_keys,
            maps=given.maps,
            samples=given.samples,
            reference_maps=given.reference_maps,
            reference_samples=given.reference_samples,
            options=ReportOptions(**params.options),
            bundle=given.bundle,
            home=params.home,
        )


if __name__ == "__main__":
    main(snakemake)
