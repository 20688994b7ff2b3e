"""The same vectors in `embed_shards` jobs, which a cluster runs side by side, and one that joins them: not a bit differs.

A shard takes only the threads that it computes with, so that `--cores 8` too runs several at once.
"""


scattergather:
    embed=PLAN.run.embed_shards,


rule embed_shard:
    """Vectors of one share of the test captions and images (decomposed models)."""
    input:
        settings=settings("embed"),
        model=upstream("train/model"),
        manifest=upstream("prepare/manifest.json"),
        visual=visual,
    output:
        temp(directory(f"artifacts/{DATASET}/{{home}}/embed_shards/{{scatteritem}}")),
    log:
        f"logs/{DATASET}/{{home}}/embed_shards/{{scatteritem}}.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/embed_shards/{{scatteritem}}.tsv"
    conda:
        "../../environment.yml"
    threads: THREADS
    resources:
        mem_mb=growing(2000),
        runtime=60,
        gpu=gpus,
    params:
        shard=lambda wildcards: wildcards.scatteritem.replace("-of-", "/"),
    shell:
        "vldeformer embed --settings {input.settings:q} --model {input.model:q} --manifest {input.manifest:q}"
        " --features {input.visual:q} --split test --shard {params.shard:q} --out {output:q} > {log:q} 2>&1"


rule gather:
    """All shares joined, in the order of the collection."""
    input:
        settings=settings("gather"),
        shards=gather.embed(f"artifacts/{DATASET}/{{{{home}}}}/embed_shards/{{scatteritem}}"),
    output:
        directory(f"artifacts/{DATASET}/{{home}}/embed"),
    log:
        f"logs/{DATASET}/{{home}}/gather.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(4000),
        runtime=10,
    shell:
        "vldeformer gather {input.shards:q} --out {output:q} > {log:q} 2>&1"
