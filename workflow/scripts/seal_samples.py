"""Write the manifest of all shards, and one table of what was repaired or set aside."""

from latentmap.log import job_log
from latentmap.samples.seal import seal_samples


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        seal_samples(
            snakemake.input.samples,
            snakemake.input.quarantine,
            snakemake.output.manifest,
            snakemake.output.quarantine,
            snakemake.params.remarks,
            snakemake.params.readers,
        )


if __name__ == "__main__":
    main(snakemake)
