"""Compare the sources of the samples in one embedding and on its maps."""

from pathlib import Path

from latentmap.log import job_log
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.sources import RunFiles, SourcesOptions, compare_sources


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, run = snakemake.input, snakemake.params.reference
        old = RunFiles(
            given.reference_embedding, _named(given.reference_maps), given.reference_samples
        )
        compare_sources(
            RunFiles(given.embedding, _named(given.maps), given.samples),
            SourcesOptions.of(
                StatisticsOptions(**snakemake.params.statistics), snakemake.params.metric
            ),
            snakemake.output.sources,
            None if run is None else (run, old),
        )


def _named(maps):
    """Return the maps by the names of their files."""
    return {Path(path).stem: path for path in maps}


if __name__ == "__main__":
    main(snakemake)
