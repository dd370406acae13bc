rule project_embedding:
    input:
        embedding=EMBEDDING,
        neighbors=NEIGHBORS,
        samples=sample_shards,
    output:
        projection=PROJECTION,
    params:
        projection=lambda wildcards: created(RUN.projection(wildcards.projection)),
        code=lambda wildcards: projection_code(wildcards.projection),
    log:
        f"{LOG}/project_embedding/{EMBEDDED}/{{projection}}.log",
    benchmark:
        f"{BENCHMARK}/project_embedding/{EMBEDDED}/{{projection}}.tsv"
    conda:
        "../envs/project.yaml"
    resources:
        mem_mb=2500,
        runtime=60,
    message:
        "Map {wildcards.encoder} ({wildcards.variant}), {wildcards.method} by {wildcards.projection}"
    script:
        "../workflow/scripts/project_embedding.py"
