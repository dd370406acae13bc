rule measure_embedding:
    input:
        embedding=EMBEDDING,
        neighbors=NEIGHBORS,
        samples=sample_shards,
    output:
        metrics=METRICS,
        scores=SCORES,
        weights=SAMPLING_WEIGHTS,
    log:
        f"{LOG}/measure_embedding/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/measure_embedding/{EMBEDDED}.tsv"
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=growing,
        runtime=60,
    params:
        metrics=METRIC_OPTIONS,
        statistics=RUN.statistics.model_dump(),
        density=RUN.density.model_dump(),
        neighbors=RUN.neighbors.model_dump(),
        code=code("measure_embedding", *METRIC_MODULES),
    message:
        "Measure {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/measure_embedding.py"


# An embedding's metrics are in `{method}.json`; no method is called "agreement".
ruleorder: compare_embeddings > measure_embedding


rule compare_embeddings:
    input:
        embeddings=lambda wildcards: expand(
            EMBEDDING, method=RUN.pooling_methods(wildcards.encoder), **wildcards
        ),
        neighbors=lambda wildcards: expand(
            NEIGHBORS, method=RUN.pooling_methods(wildcards.encoder), **wildcards
        ),
        samples=sample_shards,
    output:
        agreement=AGREEMENT,
    log:
        f"{LOG}/compare_embeddings/{{encoder}}/{{variant}}.log",
    benchmark:
        f"{BENCHMARK}/compare_embeddings/{{encoder}}/{{variant}}.tsv"
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=growing,
        runtime=60,
    params:
        methods=lambda wildcards: RUN.pooling_methods(wildcards.encoder),
        code=code("compare_embeddings"),
    message:
        "Compare the embeddings of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/compare_embeddings.py"


rule compare_sources:
    input:
        embedding=EMBEDDING,
        maps=own_maps,
        samples=sample_shards,
        reference_embedding=reference(EMBEDDING),
        reference_maps=reference_maps,
        reference_samples=reference_samples,
    output:
        sources=SOURCE_METRICS,
    log:
        f"{LOG}/compare_sources/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/compare_sources/{EMBEDDED}.tsv"
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=2500,
        runtime=60,
    params:
        reference=RUN.reference_run,
        statistics=RUN.statistics.model_dump(),
        code=code("compare_sources"),
    message:
        "Compare the sources in {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/compare_sources.py"


rule compare_maps:
    input:
        maps=lambda wildcards: paths(PROJECTION, map_keys_of(wildcards)),
        samples=sample_shards,
    output:
        agreement=MAP_AGREEMENT,
    log:
        f"{LOG}/compare_maps/{{encoder}}/{{variant}}.log",
    benchmark:
        f"{BENCHMARK}/compare_maps/{{encoder}}/{{variant}}.tsv"
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        maps=lambda wildcards: [key[2:] for key in map_keys_of(wildcards)],
        code=code("compare_maps"),
    message:
        "Compare the maps of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/compare_maps.py"


rule rank_methods:
    input:
        metrics=paths(METRICS, METHOD_KEYS),
        scores=paths(SCORES, METHOD_KEYS),
        samples=sample_shards,
    output:
        ranking=RANKING,
    log:
        f"{LOG}/rank_methods.log",
    benchmark:
        f"{BENCHMARK}/rank_methods.tsv"
    conda:
        "../envs/metrics.yaml"
    resources:
        mem_mb=2500,
        runtime=20,
    params:
        method_keys=METHOD_KEYS,
        baselines=BASELINES,
        statistics=RUN.statistics.model_dump(),
        code=code("rank_methods"),
    message:
        "Rank the methods"
    script:
        "../workflow/scripts/rank_methods.py"
