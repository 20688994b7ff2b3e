"""Vectors of the test images and captions, in one job. In several, side by side on a cluster: `embed_shards.smk`."""


rule embed:
    """Vectors of the test captions and images (decomposed models)."""
    input:
        settings=settings("embed"),
        model=upstream("train/model"),
        manifest=upstream("prepare/manifest.json"),
        visual=visual,
    output:
        directory(f"artifacts/{DATASET}/{{home}}/embed"),
    log:
        f"logs/{DATASET}/{{home}}/embed.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/embed.tsv"
    conda:
        "../../environment.yml"
    threads: THREADS
    resources:
        mem_mb=growing(2000),
        runtime=60,
        gpu=gpus,
    shell:
        "vldeformer embed --settings {input.settings:q} --model {input.model:q} --manifest {input.manifest:q}"
        " --features {input.visual:q} --split test --out {output:q} > {log:q} 2>&1"
