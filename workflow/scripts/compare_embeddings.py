"""Compare the embeddings of the pooling methods of one encoder and variant."""

from latentmap.log import job_log
from latentmap.metrics.method_agreement import compare_embeddings


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, methods = snakemake.input, snakemake.params.methods
        compare_embeddings(
            dict(zip(methods, given.embeddings, strict=True)),
            dict(zip(methods, given.neighbors, strict=True)),
            given.samples,
            snakemake.output.agreement,
        )


if __name__ == "__main__":
    main(snakemake)
