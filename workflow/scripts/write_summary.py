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
            labels=given.labels,
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
            agreements=_by_key(params.latent_keys, given.agreements),
            sources=_by_key(params.source_keys, given.sources),
            map_keys=params.map_keys,
            projections=given.projections,
            trust=given.trust,
            weights=given.weights,
            annotations=next(iter(given.annotations), None),
            map_pages=params.map_pages,
            comparisons=_by_key(params.comparison_keys, params.comparison_pages),
            tables=given.tables,
            left_out=params.left_out,
            revisions=params.revisions,
            commit=params.commit,
            bundle=given.bundle,
        )


def _by_key(keys, paths):
    return {tuple(key): path for key, path in zip(keys, paths, strict=True)}


def _grouped(keys, shards):
    """Return the shards of each (encoder, variant), which follow each other key by key."""
    count = len(shards) // len(keys)
    return {
        tuple(key): shards[start : start + count]
        for key, start in zip(keys, range(0, len(shards), count), strict=True)
    }


if __name__ == "__main__":
    main(snakemake)
