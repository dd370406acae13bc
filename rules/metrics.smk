rule measure_embedding:
    input:
        embedding=EMBEDDING,
        neighbors=NEIGHBORS,
        samples=sample_shards,
    output:
        metrics=METRICS,
        scores=SCORES,
    params:
        metrics=METRIC_OPTIONS,
        statistics=RUN.statistics.model_dump(),
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


rule rank_methods:
    input:
        metrics=paths(METRICS, METHOD_KEYS),
        scores=paths(SCORES, METHOD_KEYS),
        samples=sample_shards,
    output:
        ranking=RANKING,
    params:
        method_keys=METHOD_KEYS,
        baselines=BASELINES,
        statistics=RUN.statistics.model_dump(),
        code=code("rank_methods"),
    log:
        f"{LOG}/rank_methods.log",
    benchmark:
        f"{BENCHMARK}/rank_methods.tsv"
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=2500,
        runtime=20,
    message:
        "Rank the methods"
    script:
        "../workflow/scripts/rank_methods.py"
