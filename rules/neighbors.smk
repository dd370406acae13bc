rule find_neighbors:
    input:
        embedding=EMBEDDING,
        samples=sample_shards,
    output:
        neighbors=NEIGHBORS,
    log:
        f"{LOG}/find_neighbors/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/find_neighbors/{EMBEDDED}.tsv"
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=growing,
        runtime=60,
    params:
        options=RUN.neighbors.model_dump(),
        code=code("find_neighbors"),
    message:
        "Find the neighbors in {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/find_neighbors.py"
