"""Write what the jobs of a run cost."""

from latentmap.log import job_log
from latentmap.report.cost_page import write_costs
from latentmap.report.costs import Work


def main(snakemake):
    """Run the job."""
    with job_log(snakemake.log[0]):
        given, params = snakemake.input, snakemake.params
        outputs = (given.latents, given.embeddings, given.neighbors, given.metrics, given.maps)
        stages = ("encode", "pool", "neighbors", "metrics", "maps")
        keys = (params.shard_keys, *[params.method_keys] * 3, params.map_keys)
        benchmarks = (params.encode, params.pool, params.neighbors, params.metrics, params.maps)
        write_costs(
            [Work(*work) for work in zip(stages, keys, outputs, benchmarks, strict=True)],
            keys=params.method_keys,
            metrics=given.metrics,
            headline=params.headline,
            baselines=params.baselines,
            csv=snakemake.output.csv,
            json=snakemake.output.json,
            pages=dict(zip(map(tuple, params.latent_keys), snakemake.output.pages, strict=True)),
            bundle=given.bundle,
            home=params.home,
        )


if __name__ == "__main__":
    main(snakemake)
