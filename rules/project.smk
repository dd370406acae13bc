rule project_embedding:
    input:
        embedding=at(EMBEDDING),
        neighbors=at(NEIGHBORS),
        samples=every(SAMPLES),
        reference_embedding=only(EMBEDDING.theirs),
        reference_neighbors=only(NEIGHBORS.theirs),
        reference_map=only(PROJECTION.theirs),
    output:
        projection=at(PROJECTION),
    log:
        log_of("project_embedding", PROJECTION),
    benchmark:
        benchmark_of("project_embedding", PROJECTION)
    conda:
        "../envs/project.yaml"
    resources:
        mem_mb=memory("project_embedding"),
        runtime=60,
    params:
        projection=lambda wildcards: created(
            RUN.projection_of(wildcards.encoder, wildcards.projection)
        ),
        revision=lambda wildcards: map_revision(wildcards.encoder, wildcards.projection),
        reference=RUN.reference_run,
        code=lambda wildcards: projection_code(wildcards.projection),
    message:
        "Map {wildcards.encoder} ({wildcards.variant}), {wildcards.method} by {wildcards.projection}"
    script:
        "../workflow/scripts/project_embedding.py"


rule assess_maps:
    input:
        embedding=at(EMBEDDING),
        neighbors=at(NEIGHBORS),
        projections=expand(at(PROJECTION), projection=RESULTS.projections, allow_missing=True),
        samples=every(SAMPLES),
    output:
        trust=expand(at(TRUST), projection=RESULTS.projections, allow_missing=True),
    log:
        log_of("assess_maps", EMBEDDING),
    benchmark:
        benchmark_of("assess_maps", EMBEDDING)
    conda:
        "../envs/project.yaml"
    resources:
        mem_mb=memory("assess_maps"),
        runtime=60,
    params:
        projections=[created(RUN.projection(name)) for name in RESULTS.projections],
        options=TRUST_OPTIONS.model_dump(),
        is_measured=RUN.is_measured,
        code=code("assess_maps", *MAP_MODULES),
    message:
        "Assess the maps of {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/assess_maps.py"
