"""The main decomposed model proposes, the joint model orders: the model `reranked` of the tables, and its curve over depths."""

RERANK = PLAN.base.rerank


rule rerank:
    """Results and cost: of the subset for every depth, of all of test for the main depth."""
    input:
        settings=f"artifacts/{DATASET}/base/settings/rerank.json",
        embeddings=artifact(PLAN.base.report.main, "embed"),
        joint=artifact(PLAN.base.report.baseline, "train/model"),
        manifest=artifact(PLAN.base.report.main, "prepare/manifest.json"),
        visual=visual_of(PLAN.base.report.baseline),
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
        gpu=gpus_of(PLAN.base.report.main),
    params:
        dataset=DATASET,
        all=lambda wildcards: "--all" if wildcards.protocol == "test" else "",
    shell:
        "vldeformer rerank --settings {input.settings} --embeddings {input.embeddings} --joint {input.joint}"
        " --manifest {input.manifest} --features {input.visual} --split test {params.all} --dataset {params.dataset}"
        " --out {output} 2>&1 | tee {log}"


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
        depth=RERANK.depth,
    shell:
        "cp {input}/depth_{params.depth}.json {output.result} 2> {log}"
        " && cp {input}/depth_{params.depth}.ranks.parquet {output.ranks} 2>> {log}"


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
        "mkdir -p {output} && cp {input}/rerank.json {input}/depth_* {output}/ 2> {log}"
