rule inspect_latents:
    input:
        latents=over_shards(LATENTS),
        samples=sample_shards,
    output:
        metrics=f"{INSPECTION}/channels.json",
        positions=f"{INSPECTION}/positions.parquet",
        maps=f"{INSPECTION}/maps.parquet",
    log:
        f"{LOG}/inspect_latents/{{encoder}}/{{variant}}.log",
    benchmark:
        f"{BENCHMARK}/inspect_latents/{{encoder}}/{{variant}}.tsv"
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=2500,
        runtime=60,
    params:
        options=RUN.inspection.model_dump(),
        code=code("inspect_latents"),
    message:
        "Inspect the channels of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/inspect_latents.py"
