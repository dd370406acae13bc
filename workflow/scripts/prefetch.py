"""Load every model of the hub once, where there is a network, so that jobs find it on disk."""

import logging
from pathlib import Path

from latentmap.encode.encoder import ENCODERS
from latentmap.log import job_log


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        for encoder in snakemake.params.encoders:
            options = encoder["options"]
            if not Path(options.get("model", "")).expanduser().exists():
                logging.getLogger("latentmap").info("Fetching %s", options["model"])
                ENCODERS.create(encoder["name"], options | {"device": "cpu"}).load()


if __name__ == "__main__":
    main(snakemake)
