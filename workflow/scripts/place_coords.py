"""Put exported coordinates, and the pages of maps, beside the caches that they belong to."""

from pathlib import Path

from latentmap.export.coords import place_files
from latentmap.log import job_log
from latentmap.report.assets import bundle


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        targets = map(Path, snakemake.params.targets)
        files = [Path(path).read_bytes() for path in snakemake.input.coords]
        pages = [bundle(path).encode() for path in snakemake.input.pages]
        contents = dict(zip(targets, [*files, *pages], strict=True))
        place_files(contents, snakemake.params.overwrite)


if __name__ == "__main__":
    main(snakemake)
