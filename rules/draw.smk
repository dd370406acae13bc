rule draw_thumbnails:
    input:
        samples=contents,
    output:
        thumbnails=at(THUMBNAILS),
    log:
        log_of("draw_thumbnails", SAMPLES),
    benchmark:
        benchmark_of("draw_thumbnails", SAMPLES)
    conda:
        "../envs/draw.yaml"
    resources:
        mem_mb=memory("draw_thumbnails"),
        runtime=30,
    params:
        draw=RUN.draw.model_dump(),
        thumbnails=RUN.thumbnails.model_dump(),
        code=lambda wildcards: code("draw_thumbnails"),
        samples_code=lambda wildcards: ingest_code(wildcards.shard),
    message:
        "Draw the thumbnails of shard {wildcards.shard}"
    script:
        "../workflow/scripts/draw_thumbnails.py"
