rule measure_embedding:
    input:
        embedding=EMBEDDING,
        neighbors=NEIGHBORS,
        samples=sample_shards,
    output:
        metrics=METRICS,
    params:
        metrics=METRIC_OPTIONS,
        code=code("measure_embedding", *METRIC_MODULES),
    log:
        f"{LOG}/measure_embedding/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/measure_embedding/{EMBEDDED}.tsv"
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=2500,
        runtime=60,
    message:
        "Measure {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/measure_embedding.py"
