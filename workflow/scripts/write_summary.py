"""Write the summary of a run."""

from latentmap.log import job_log
from latentmap.report.options import ReportOptions
from latentmap.report.summary import write_summary


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, params = snakemake.input, snakemake.params
        write_summary(
            snakemake.output.page,
            config=params.config,
            label_groups=params.label_groups,
            label_to_group=params.label_to_group,
            baselines=params.baselines,
            options=ReportOptions(**params.options),
            manifest=given.manifest,
            samples=given.samples,
            thumbnails=given.thumbnails,
            quarantine=given.quarantine,
            latents=_grouped(params.latent_keys, given.latents),
            keys=params.method_keys,
            metrics=given.metrics,
            ranking=given.ranking,
            agreements={
                tuple(key): path
                for key, path in zip(params.latent_keys, given.agreements, strict=True)
            },
            sources={
                tuple(key): path
                for key, path in zip(params.source_keys, given.sources, strict=True)
            },
            map_keys=params.map_keys,
            projections=given.projections,
            trust=given.trust,
            weights=given.weights,
            annotations=next(iter(given.annotations), None),
            map_pages=params.map_pages,
            comparisons={
                tuple(key): page
                for key, page in zip(params.comparison_keys, params.comparison_pages, strict=True)
            },
            tables=given.tables,
            revisions=params.revisions,
            commit=params.commit,
            bundle=given.bundle,
        )


def _grouped(keys, shards):
    """Return the shards of each (encoder, variant), which follow each other key by key."""
    count = len(shards) // len(keys)
    return {
        tuple(key): shards[start : start + count]
        for key, start in zip(keys, range(0, len(shards), count), strict=True)
    }


if __name__ == "__main__":
    main(snakemake)
