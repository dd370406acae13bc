"""Fit one encoder to all samples."""

from latentmap.encode.encoder import ENCODERS
from latentmap.encode.fit import fit_encoder
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        fit_encoder(
            snakemake.input.samples,
            snakemake.output.fit,
            ENCODERS.create(**snakemake.params.encoder),
        )


if __name__ == "__main__":
    main(snakemake)
