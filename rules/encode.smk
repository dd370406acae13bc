rule fit_encoder:
    input:
        samples=contents,
    output:
        fit=at(FIT),
    log:
        log_of("fit_encoder", FIT),
    benchmark:
        benchmark_of("fit_encoder", FIT)
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        encoder=lambda wildcards: created(RUN.encoder(wildcards.encoder)),
        code=lambda wildcards: encoder_code("fit_encoder", wildcards.encoder),
        samples_code=lambda wildcards: sorted(set(map(ingest_code, shards()))),
    message:
        "Fit {wildcards.encoder} to all samples"
    script:
        "../workflow/scripts/fit_encoder.py"


rule encode_samples:
    input:
        samples=contents,
        fit=fitted,
    output:
        latents=at(LATENTS),
    log:
        log_of("encode_samples", LATENTS),
    benchmark:
        benchmark_of("encode_samples", LATENTS)
    conda:
        "../envs/encode.yaml"
    threads: encoding_threads
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        encoder=lambda wildcards: created(RUN.encoder(wildcards.encoder)),
        revision=lambda wildcards: revision(wildcards.encoder),
        draw=lambda wildcards: RUN.draw.model_dump() if wildcards.variant == "boxes" else {},
        code=lambda wildcards: encoder_code("encode_samples", wildcards.encoder),
        samples_code=lambda wildcards: ingest_code(wildcards.shard),
    message:
        "Encode shard {wildcards.shard} ({wildcards.variant}) with {wildcards.encoder}"
    script:
        "../workflow/scripts/encode_samples.py"
