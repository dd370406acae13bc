"""Write the pages about the channels and positions of the latents of one encoder and variant."""

from latentmap.log import job_log
from latentmap.report.channel_pages import write_channel_pages
from latentmap.report.options import ReportOptions


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, params = snakemake.input, snakemake.params
        write_channel_pages(
            dict(zip(params.charts, snakemake.output.pages, strict=True)),
            encoder=snakemake.wildcards.encoder,
            variant=snakemake.wildcards.variant,
            metrics=given.metrics,
            positions=given.positions,
            maps=given.maps,
            samples=given.samples,
            thumbnails=given.thumbnails,
            labels=given.labels,
            options=ReportOptions(**params.options),
            bundle=given.bundle,
            home=params.home,
        )


if __name__ == "__main__":
    main(snakemake)
