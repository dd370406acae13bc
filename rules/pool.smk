rule pool_latents:
    input:
        latents=every(LATENTS),
        samples=contents,
    output:
        embedding=at(EMBEDDING),
    log:
        log_of("pool_latents", EMBEDDING),
    benchmark:
        benchmark_of("pool_latents", EMBEDDING)
    conda:
        "../envs/pool.yaml"
    resources:
        mem_mb=memory("pool_latents"),
        runtime=30,
    params:
        code=lambda wildcards: code("pool_latents", METHODS.module(wildcards.method)),
    message:
        "Pool {wildcards.encoder} ({wildcards.variant}) with {wildcards.method}"
    script:
        "../workflow/scripts/pool_latents.py"
