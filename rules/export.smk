# The encoders that stand for one cache of embeddings each, and the maps that go beside it.
CACHES = {e.name: e for e in RUN.encoders if kind_of(e) == "embedding_cache" and e.input}
PLACED = [key for key in RESULTS.maps if key[0] in CACHES and key[1] == RUN.variants[0]]
# What a map was given is its user's own, and stays as it is.
COORDS_KEYS = [k for k in PLACED if not PROJECTIONS[kind_of(RUN.projection(k[3]))].is_given]
PAGE_KEYS = PLACED if RUN.export.pages else []


rule export_coords:
    input:
        maps=expand(at(PROJECTION), projection=RESULTS.projections, allow_missing=True),
    output:
        coords=expand(at(COORDS), projection=RESULTS.projections, allow_missing=True),
    log:
        log_of("export_coords", EMBEDDING),
    benchmark:
        benchmark_of("export_coords", EMBEDDING)
    wildcard_constraints:
        encoder="|".join(CACHES) or "none",
    conda:
        "../envs/samples.yaml"
    resources:
        mem_mb=memory("export_coords"),
        runtime=10,
    params:
        cache=lambda wildcards: CACHES[wildcards.encoder].input,
        column=lambda wildcards: CACHES[wildcards.encoder].id,
        revision=lambda wildcards: revision(wildcards.encoder),
        code=code("export_coords"),
    message:
        "Export the coordinates of {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/export_coords.py"


rule coords:
    input:
        coords=[str(RESULTS.path(COORDS, *key)) for key in COORDS_KEYS],
        pages=[path for key in PAGE_KEYS for path in map_pages(key)],
        assets=BESIDE_PAGES if PAGE_KEYS else [],
    log:
        log_of("coords"),
    localrule: True
    conda:
        "../envs/samples.yaml"
    params:
        # Copies outside the run's folder are no output: Snakemake would delete what is there
        # before the job could look at it. Without an output the job looks at every call.
        targets=[
            *(beside_cache(key, "_coords.npy") for key in COORDS_KEYS),
            *(beside_cache(key, ".html") for key in PAGE_KEYS),
        ],
        overwrite=RUN.export.overwrite,
    message:
        "Put the coordinates beside their caches"
    script:
        "../workflow/scripts/place_coords.py"


rule export_metadata:
    input:
        samples=every(SAMPLES),
    output:
        csv=at(EXPORTED_METADATA),
    log:
        log_of("export_metadata"),
    benchmark:
        benchmark_of("export_metadata")
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("export_metadata"),
        runtime=20,
    params:
        code=code("export_metadata"),
    message:
        "Export what is known of the samples"
    script:
        "../workflow/scripts/export_metadata.py"


rule export_latents:
    input:
        latents=every(LATENTS),
        samples=every(SAMPLES),
        thumbnails=every(THUMBNAILS),
    output:
        files=expand(at(EXPORTED_LATENTS), format=EXPORT_FORMATS, allow_missing=True),
    log:
        log_of("export_latents", AGREEMENT),
    benchmark:
        benchmark_of("export_latents", AGREEMENT)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("export_latents"),
        runtime=60,
    params:
        formats=EXPORT_FORMATS,
        code=code("export_latents"),
    message:
        "Export the latents of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/export_latents.py"


if CACHE_FILES:

    rule export_cache:
        input:
            latents=of_cache(LATENTS),
            samples=of_cache(SAMPLES),
            thumbnails=of_cache(THUMBNAILS),
        output:
            cache=RUN.export.cache,
        log:
            RESULTS.job(LOG, "export_cache", CACHE_WILDCARDS),
        benchmark:
            RESULTS.job(BENCHMARK, "export_cache", CACHE_WILDCARDS)
        conda:
            "../envs/report.yaml"
        resources:
            mem_mb=memory("export_cache"),
            runtime=60,
        params:
            run=RUN.run,
            code=code("export_cache"),
        message:
            "Write {output.cache}"
        script:
            "../workflow/scripts/export_cache.py"


rule export_embedding:
    input:
        embedding=at(EMBEDDING),
        samples=every(SAMPLES),
    output:
        files=expand(at(EXPORTED_EMBEDDING), format=EXPORT_FORMATS, allow_missing=True),
    log:
        log_of("export_embedding", EMBEDDING),
    benchmark:
        benchmark_of("export_embedding", EMBEDDING)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("export_embedding"),
        runtime=60,
    params:
        formats=EXPORT_FORMATS,
        code=code("export_embedding"),
    message:
        "Export {wildcards.encoder} ({wildcards.variant}), {wildcards.method}"
    script:
        "../workflow/scripts/export_embedding.py"


rule export_points:
    input:
        projection=at(PROJECTION),
        weights=at(SAMPLING_WEIGHTS),
        samples=every(SAMPLES),
        labels=at(LABELS),
    output:
        points=at(EXPORTED_POINTS),
    log:
        log_of("export_points", PROJECTION),
    benchmark:
        benchmark_of("export_points", PROJECTION)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("export_points"),
        runtime=20,
    params:
        code=code("export_points"),
    message:
        "Export the map {wildcards.projection} of {wildcards.encoder}, {wildcards.method} as points"
    script:
        "../workflow/scripts/export_points.py"


rule export_figure:
    input:
        page=lambda wildcards: PUBLISHED[wildcards.figure][0],
        samples=at(SHOWN_SAMPLES),
    output:
        svg=f"{at(FIGURE)}.svg",
        png=f"{at(FIGURE)}.png",
        pdf=f"{at(FIGURE)}.pdf",
        csv=f"{at(FIGURE)}.csv",
    log:
        log_of("export_figure", FIGURE),
    benchmark:
        benchmark_of("export_figure", FIGURE)
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=memory("export_figure"),
        runtime=10,
    params:
        chart=lambda wildcards: PUBLISHED[wildcards.figure][1],
        code=code("export_figure"),
    message:
        "Export {wildcards.figure} for publication"
    script:
        "../workflow/scripts/export_figure.py"
