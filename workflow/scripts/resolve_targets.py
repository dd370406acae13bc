"""Read the values of all targets of a run."""

from latentmap.log import job_log
from latentmap.targets.resolve import resolve_targets


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        resolve_targets(
            snakemake.params.entries,
            snakemake.input.samples,
            next(iter(snakemake.input.get("annotations", [])), None),
            snakemake.output.targets,
            snakemake.output.facts,
            snakemake.output.quarantine,
        )


if __name__ == "__main__":
    main(snakemake)
