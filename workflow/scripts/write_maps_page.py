"""Write all maps of one encoder and variant side by side."""

from latentmap.log import job_log
from latentmap.report.comparison_page import write_maps_page
from latentmap.report.options import ReportOptions


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        write_maps_page(
            snakemake.output.page,
            encoder=snakemake.wildcards.encoder,
            variant=snakemake.wildcards.variant,
            maps=snakemake.params.maps,
            projections=snakemake.input.projections,
            trust=snakemake.input.trust,
            weights=snakemake.input.weights,
            annotations=next(iter(snakemake.input.annotations), None),
            samples=snakemake.input.samples,
            thumbnails=snakemake.input.thumbnails,
            labels=snakemake.input.labels,
            options=ReportOptions(**snakemake.params.options),
            bundle=snakemake.input.bundle,
            home=snakemake.params.home,
        )


if __name__ == "__main__":
    main(snakemake)
