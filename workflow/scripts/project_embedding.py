"""Place the samples of one embedding on one map."""

from latentmap.log import job_log
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        project_embedding(
            snakemake.input.embedding,
            snakemake.input.neighbors,
            snakemake.input.samples,
            PROJECTIONS.create(**snakemake.params.projection),
            snakemake.output.projection,
        )


if __name__ == "__main__":
    main(snakemake)
