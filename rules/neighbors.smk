rule find_neighbors:
    input:
        embedding=at(EMBEDDING),
        samples=every(SAMPLES),
    output:
        neighbors=at(NEIGHBORS),
    log:
        log_of("find_neighbors", EMBEDDING),
    benchmark:
        benchmark_of("find_neighbors", EMBEDDING)
    conda:
        "../envs/neighbors.yaml"
    # The search among more rows than this takes as many as it is given.
    threads: lambda wildcards: 2 if sample_count() > EXACT_ROWS else 1
    resources:
        mem_mb=memory("find_neighbors"),
        runtime=60,
    params:
        options=RUN.neighbors.model_dump(),
        code=code("find_neighbors"),
    message:
        "Find the neighbors in {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/find_neighbors.py"
