"""Draw a small picture of every sample of one shard."""

from latentmap.draw.boxes import DrawOptions
from latentmap.draw.thumbnails import ThumbnailOptions, make_thumbnails
from latentmap.log import job_log
from latentmap.store.tables import read_arrow, write_arrow


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        thumbnails = make_thumbnails(
            read_arrow(snakemake.input.samples),
            ThumbnailOptions(**snakemake.params.thumbnails),
            DrawOptions(**snakemake.params.draw),
        )
        write_arrow(snakemake.output.thumbnails, thumbnails)


if __name__ == "__main__":
    main(snakemake)
