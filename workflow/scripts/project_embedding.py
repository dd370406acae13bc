"""Place the samples of one embedding on one map, or on the map of a reference run."""

from latentmap.log import job_log
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
from latentmap.project.reference import ReferenceFiles, project_into_reference


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, run = snakemake.input, snakemake.params.reference
        projection = PROJECTIONS.create(**snakemake.params.projection)
        output = snakemake.output.projection
        if run is None:
            project_embedding(given.embedding, given.neighbors, given.samples, projection, output)
        else:
            reference = ReferenceFiles(
                run, given.reference_embedding, given.reference_neighbors, given.reference_map
            )
            project_into_reference(given.embedding, given.samples, projection, reference, output)


if __name__ == "__main__":
    main(snakemake)
