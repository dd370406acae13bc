rule project_embedding:
    input:
        embedding=EMBEDDING,
        neighbors=NEIGHBORS,
        samples=sample_shards,
        reference_embedding=reference(EMBEDDING),
        reference_neighbors=reference(NEIGHBORS),
        reference_map=reference(PROJECTION),
    output:
        projection=PROJECTION,
    log:
        f"{LOG}/project_embedding/{EMBEDDED}/{{projection}}.log",
    benchmark:
        f"{BENCHMARK}/project_embedding/{EMBEDDED}/{{projection}}.tsv"
    conda:
        "../envs/project.yaml"
    resources:
        mem_mb=growing,
        runtime=60,
    params:
        projection=lambda wildcards: created(RUN.projection(wildcards.projection)),
        reference=RUN.reference_run,
        code=lambda wildcards: projection_code(wildcards.projection),
    message:
        "Map {wildcards.encoder} ({wildcards.variant}), {wildcards.method} by {wildcards.projection}"
    script:
        "../workflow/scripts/project_embedding.py"


rule assess_maps:
    input:
        embedding=EMBEDDING,
        neighbors=NEIGHBORS,
        projections=expand(PROJECTION, projection=RUN.map_names, allow_missing=True),
        samples=sample_shards,
    output:
        trust=expand(TRUST, projection=RUN.map_names, allow_missing=True),
    log:
        f"{LOG}/assess_maps/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/assess_maps/{EMBEDDED}.tsv"
    conda:
        "../envs/project.yaml"
    resources:
        mem_mb=growing,
        runtime=60,
    params:
        projections=[created(RUN.projection(name)) for name in RUN.map_names],
        options=TRUST_OPTIONS.model_dump(),
        code=code("assess_maps", *MAP_MODULES),
    message:
        "Assess the maps of {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/assess_maps.py"
