rule encode_samples:
    input:
        # The shard's id says what is in it; a change of its labels encodes nothing anew.
        samples=ancient(SAMPLES),
    output:
        latents=LATENTS,
    log:
        f"{LOG}/encode_samples/{{encoder}}/{{variant}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARK}/encode_samples/{{encoder}}/{{variant}}/{{shard}}.tsv"
    conda:
        "../envs/encode.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        encoder=lambda wildcards: created(RUN.encoder(wildcards.encoder)),
        revision=lambda wildcards: revision(wildcards.encoder),
        draw=lambda wildcards: RUN.draw.model_dump() if wildcards.variant == "boxes" else {},
        code=lambda wildcards: encode_code(wildcards.encoder),
        samples_code=lambda wildcards: ingest_code(wildcards.shard),
    message:
        "Encode shard {wildcards.shard} ({wildcards.variant}) with {wildcards.encoder}"
    script:
        "../workflow/scripts/encode_samples.py"
