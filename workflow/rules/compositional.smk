"""The compositional test: captions of test images beside false ones, and which of the two each model prefers.

The built-in world makes its own items. SugarCrepe's are judged by `vldeformer compositional` by hand: they need COCO's images.
"""


rule compositional_items:
    """Replaced, swapped and added objects, attributes and relations, in SugarCrepe's layout."""
    input:
        settings=settings("compositional-items"),
        raw=RAW,
    output:
        directory(f"artifacts/{DATASET}/{{home}}/compositional-items"),
    log:
        f"logs/{DATASET}/{{home}}/compositional-items.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/compositional-items.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        raw_dir=lambda wildcards: RAW_DIR,
    shell:
        "vldeformer compositional-items --settings {input.settings:q} --raw-dir {params.raw_dir:q} --split test"
        " --out {output:q} > {log:q} 2>&1"


rule compositional:
    """Accuracy of a joint or decomposed model, and of a blind one."""
    input:
        settings=settings_for("compositional"),
        model=of_experiment("train/model"),
        pairs=of_experiment("compositional-items"),
        manifest=of_experiment("prepare/manifest.json"),
        visual=lambda wildcards: visual_of(wildcards.experiment),
    output:
        result=f"results/{DATASET}/{{experiment}}/compositional.json",
        scores=f"results/{DATASET}/{{experiment}}/compositional.items.parquet",
    log:
        f"logs/{DATASET}/{{experiment}}/compositional.log",
    benchmark:
        f"logs/{DATASET}/{{experiment}}/compositional.tsv"
    conda:
        "../../environment.yml"
    threads: THREADS
    resources:
        mem_mb=growing(2000),
        runtime=30,
        gpu=lambda wildcards: gpus_of(wildcards.experiment),
    params:
        dataset=DATASET,
    shell:
        "vldeformer compositional --settings {input.settings:q} --model {input.model:q} --items {input.pairs:q}"
        " --manifest {input.manifest:q} --features {input.visual:q} --split test --dataset {params.dataset:q}"
        " --experiment {wildcards.experiment:q} --out {output.result:q} > {log:q} 2>&1"
