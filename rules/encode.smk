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
        mem_mb=memory("fit_encoder"),
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
    wildcard_constraints:
        encoder=any_of(OTHER_ENCODERS),
    conda:
        "../envs/encode.yaml"
    threads: encoding_threads
    resources:
        mem_mb=memory("encode_samples"),
        runtime=60,
    params:
        encoder=lambda wildcards: created(RUN.encoder(wildcards.encoder)),
        revision=lambda wildcards: revision(wildcards.encoder),
        draw=lambda wildcards: RUN.draw.model_dump() if wildcards.variant == "boxes" else {},
        code=lambda wildcards: encoder_code("encode_samples", wildcards.encoder),
        samples_code=lambda wildcards: ingest_code(wildcards.shard),
        # With what is loaded the job goes on. As functions of `output` are, this is not tracked.
        waiting=lambda wildcards, output: waiting(wildcards),
    message:
        "Encode shard {wildcards.shard} ({wildcards.variant}) with {wildcards.encoder}"
    script:
        "../workflow/scripts/encode_samples.py"


# One GPU each: named apart, so that a profile gives these jobs alone a partition of GPUs.
use rule encode_samples as encode_samples_on_gpu with:
    wildcard_constraints:
        encoder=any_of(GPU_ENCODERS),
    resources:
        mem_mb=memory("encode_samples_on_gpu"),
        runtime=60,
        gpu=1,


rule prefetch:
    input:
        all_downloads,
    log:
        log_of("prefetch"),
    conda:
        "../envs/encode.yaml"
    params:
        # Without an output the job looks at every call whether all is there.
        encoders=[created(RUN.encoder(name)) for name in GPU_ENCODERS],
    message:
        "Fetch the models and data sets of the hub"
    script:
        "../workflow/scripts/prefetch.py"
