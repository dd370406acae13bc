"""Read and check the samples of one shard."""

from latentmap.log import job_log
from latentmap.samples.ingest import ingest_shard
from latentmap.samples.planned import PlannedShard
from latentmap.samples.source import SOURCES
from latentmap.store.tables import write_arrow, write_parquet


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        source = SOURCES.create(**snakemake.params.source)
        if snakemake.input.download:
            source = source.local(snakemake.input.download)
        shard = PlannedShard(**snakemake.params.shard)
        ingested = ingest_shard(source, shard, snakemake.params.label_groups)
        write_arrow(snakemake.output.samples, ingested.samples)
        write_parquet(snakemake.output.quarantine, ingested.quarantine)


if __name__ == "__main__":
    main(snakemake)
