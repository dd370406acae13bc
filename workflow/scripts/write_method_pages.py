"""Write the pages of one pooling method: its metrics, and its maps."""

from latentmap.log import job_log
from latentmap.report.method_page import write_method_pages
from latentmap.report.options import ReportOptions


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        names = snakemake.params.projections
        write_method_pages(
            tuple(snakemake.wildcards),
            metrics=snakemake.input.metrics,
            headline=snakemake.params.headline,
            projections=dict(zip(names, snakemake.input.projections, strict=True)),
            trust=dict(zip(names, snakemake.input.trust, strict=True)),
            weights=snakemake.input.weights,
            annotations=next(iter(snakemake.input.annotations), None),
            samples=snakemake.input.samples,
            thumbnails=snakemake.input.thumbnails,
            bundle=snakemake.input.bundle,
            labels=snakemake.input.labels,
            options=ReportOptions(**snakemake.params.options),
            home=snakemake.params.home,
            pages=dict(zip(names, snakemake.output.pages, strict=True)),
        )


if __name__ == "__main__":
    main(snakemake)
