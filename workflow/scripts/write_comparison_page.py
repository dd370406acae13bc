"""Write one chart over all pooling methods of one encoder and variant."""

from latentmap.log import job_log
from latentmap.report.comparison_page import write_comparison_page


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_comparison_page(
            snakemake.wildcards.chart,
            snakemake.output.page,
            encoder=snakemake.wildcards.encoder,
            variant=snakemake.wildcards.variant,
            keys=snakemake.params.method_keys,
            metrics=snakemake.input.metrics,
            headline=snakemake.params.headline,
            agreement=snakemake.input.agreement,
            map_agreement=snakemake.input.map_agreement,
            labels=snakemake.input.labels,
            bundle=snakemake.input.bundle,
            home=snakemake.params.home,
        )


if __name__ == "__main__":
    main(snakemake)
