rule inspect_latents:
    input:
        latents=every(LATENTS),
        samples=every(SAMPLES),
    output:
        metrics=at(CHANNELS),
        positions=at(POSITIONS),
        maps=at(CHANNEL_MAPS),
    log:
        log_of("inspect_latents", AGREEMENT),
    benchmark:
        benchmark_of("inspect_latents", AGREEMENT)
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=memory("inspect_latents"),
        runtime=60,
    params:
        options=RUN.inspection.model_dump(),
        metric=RUN.neighbors.metric,
        code=code("inspect_latents", *map(PROJECTIONS.module, RUN.inspection.maps)),
    message:
        "Inspect the channels of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/inspect_latents.py"
