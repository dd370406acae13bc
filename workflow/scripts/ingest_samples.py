"""Read and check the samples of one shard."""

from latentmap.log import job_log
from latentmap.samples.ingest import ingest
from latentmap.samples.source import SOURCES
from latentmap.store.tables import write_arrow, write_parquet


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        source = SOURCES.create(**snakemake.params.source)
        if snakemake.input.download:
            source = source.local(snakemake.input.download)
        shard = snakemake.params.shard
        ingested = ingest(source, shard["rows"], shard["duplicates"], snakemake.params.label_groups)
        write_arrow(snakemake.output.samples, ingested.samples)
        write_parquet(snakemake.output.quarantine, ingested.quarantine)


if __name__ == "__main__":
    main(snakemake)
