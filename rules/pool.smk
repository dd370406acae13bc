rule pool_latents:
    input:
        latents=over_shards(LATENTS),
        # Of the samples, pooling reads the boxes, which their latents have been made from.
        samples=ancient(sample_shards),
    output:
        embedding=EMBEDDING,
    log:
        f"{LOG}/pool_latents/{EMBEDDED}.log",
    benchmark:
        f"{BENCHMARK}/pool_latents/{EMBEDDED}.tsv"
    conda:
        "../envs/pool.yaml"
    resources:
        mem_mb=2500,
        runtime=30,
    params:
        code=lambda wildcards: code("pool_latents", METHODS.module(wildcards.method)),
    message:
        "Pool {wildcards.encoder} ({wildcards.variant}) with {wildcards.method}"
    script:
        "../workflow/scripts/pool_latents.py"
