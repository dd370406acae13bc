# The encoders that stand for one cache of embeddings each, and the maps that go beside it.
CACHES = {e.name: e for e in RUN.encoders if kind_of(e) == "embedding_cache" and e.input}
COORDS_KEYS = [key for key in MAP_KEYS if key[0] in CACHES and key[1] == RUN.variants[0]]


rule export_coords:
    input:
        maps=expand(PROJECTION, projection=RUN.map_names, allow_missing=True),
    output:
        coords=expand(COORDS, projection=RUN.map_names, allow_missing=True),
    log:
        f"{LOG}/export_coords/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/export_coords/{EMBEDDED}.tsv"
    wildcard_constraints:
        encoder="|".join(CACHES) or "none",
    conda:
        "../envs/samples.yaml"
    resources:
        mem_mb=1000,
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
        coords=paths(COORDS, COORDS_KEYS),
    log:
        f"{LOG}/coords.log",
    localrule: True
    conda:
        "../envs/samples.yaml"
    params:
        # Copies outside the run's folder are no output: Snakemake would delete what is there
        # before the job could look at it. Without an output the job looks at every call.
        targets=[f"{CACHES[key[0]].input}/vis_{key[3]}_coords.npy" for key in COORDS_KEYS],
        overwrite=RUN.export.overwrite,
    message:
        "Put the coordinates beside their caches"
    script:
        "../workflow/scripts/place_coords.py"


rule export_metadata:
    input:
        samples=sample_shards,
    output:
        csv=EXPORTED_METADATA,
    log:
        f"{LOG}/export_metadata.log",
    benchmark:
        f"{BENCHMARK}/export_metadata.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        code=code("export_metadata"),
    message:
        "Export what is known of the samples"
    script:
        "../workflow/scripts/export_metadata.py"


rule export_latents:
    input:
        latents=over_shards(LATENTS),
        samples=sample_shards,
        thumbnails=thumbnails,
    output:
        files=expand(EXPORTED_LATENTS, format=EXPORT_FORMATS, allow_missing=True),
    log:
        f"{LOG}/export_latents/{{encoder}}/{{variant}}.log",
    benchmark:
        f"{BENCHMARK}/export_latents/{{encoder}}/{{variant}}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=2500,
        runtime=60,
    params:
        formats=EXPORT_FORMATS,
        code=code("export_latents"),
    message:
        "Export the latents of {wildcards.encoder} ({wildcards.variant})"
    script:
        "../workflow/scripts/export_latents.py"


rule export_embedding:
    input:
        embedding=EMBEDDING,
        samples=sample_shards,
    output:
        files=expand(EXPORTED_EMBEDDING, format=EXPORT_FORMATS, allow_missing=True),
    log:
        f"{LOG}/export_embedding/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/export_embedding/{EMBEDDED}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=2500,
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
        projection=PROJECTION,
        weights=SAMPLING_WEIGHTS,
        samples=sample_shards,
        labels=LABELS,
    output:
        points=EXPORTED_POINTS,
    log:
        f"{LOG}/export_points/{EMBEDDED}/{{projection}}.log",
    benchmark:
        f"{BENCHMARK}/export_points/{EMBEDDED}/{{projection}}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=2500,
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
    output:
        svg=f"{FIGURE}.svg",
        png=f"{FIGURE}.png",
        pdf=f"{FIGURE}.pdf",
        csv=f"{FIGURE}.csv",
    log:
        f"{LOG}/export_figure/{{figure}}.log",
    benchmark:
        f"{BENCHMARK}/export_figure/{{figure}}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        chart=lambda wildcards: PUBLISHED[wildcards.figure][1],
        code=code("export_figure"),
    message:
        "Export {wildcards.figure} for publication"
    script:
        "../workflow/scripts/export_figure.py"
