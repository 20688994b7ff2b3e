"""The main decomposed model proposes, the joint model orders: the model `reranked` of the tables, and its curve over depths."""


rule rerank:
    """Results and cost: of the subset for every depth, of all of test for the main depth."""
    input:
        settings=shared_settings("rerank"),
        embeddings=artifact(BASE.report.main, "embed"),
        joint=artifact(BASE.report.baseline, "train/model"),
        manifest=artifact(BASE.report.main, "prepare/manifest.json"),
        visual=visual_of(BASE.report.baseline),
    output:
        directory(f"artifacts/{DATASET}/base/rerank/{{protocol}}"),
    log:
        f"logs/{DATASET}/base/rerank-{{protocol}}.log",
    benchmark:
        f"logs/{DATASET}/base/rerank-{{protocol}}.tsv"
    wildcard_constraints:
        protocol="subset|test",
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=growing(2000),
        runtime=60,
        gpu=gpus_of(BASE.report.main),
    params:
        dataset=DATASET,
        all=lambda wildcards: ["--all"] if wildcards.protocol == "test" else [],
    shell:
        "vldeformer rerank --settings {input.settings:q} --embeddings {input.embeddings:q} --joint {input.joint:q}"
        " --manifest {input.manifest:q} --features {input.visual:q} --split test {params.all:q} --dataset {params.dataset:q}"
        " --out {output:q} > {log:q} 2>&1"


rule reranked:
    """The main depth among the results of the other models."""
    input:
        f"artifacts/{DATASET}/base/rerank/{{protocol}}",
    output:
        result=f"results/{DATASET}/reranked/{{protocol}}.json",
        ranks=f"results/{DATASET}/reranked/{{protocol}}.ranks.parquet",
    log:
        f"logs/{DATASET}/base/reranked-{{protocol}}.log",
    wildcard_constraints:
        protocol="subset|test",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        depth=BASE.rerank.depth,
    shell:
        "(cp {input:q}/depth_{params.depth:q}.json {output.result:q}"
        " && cp {input:q}/depth_{params.depth:q}.ranks.parquet {output.ranks:q}) > {log:q} 2>&1"


rule reranked_depths:
    """Every depth of the subset with rerank.json, for the table and the curve; its times differ from run to run."""
    input:
        f"artifacts/{DATASET}/base/rerank/subset",
    output:
        directory(f"results/{DATASET}/reranked/depths"),
    log:
        f"logs/{DATASET}/base/reranked-depths.log",
    localrule: True
    conda:
        "../../environment.yml"
    shell:
        "(mkdir -p {output:q} && cp {input:q}/rerank.json {input:q}/depth_* {output:q}/) > {log:q} 2>&1"
