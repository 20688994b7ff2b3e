"""Scores of the test images → ranks and measures; the time that joint and decomposed retrieval take.

Protocol `subset`: the first evaluate.joint_images test images with all their captions, which even the joint model can
score; `test`: all of test.
"""


rule score:
    """Scores of all pairs of the subset (joint models)."""
    input:
        settings=settings("score"),
        model=upstream("train/model"),
        manifest=upstream("prepare/manifest.json"),
        visual=visual,
    output:
        directory(f"artifacts/{DATASET}/{{home}}/score"),
    log:
        f"logs/{DATASET}/{{home}}/score.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/score.tsv"
    conda:
        "../../environment.yml"
    threads: THREADS
    resources:
        mem_mb=growing(2000),
        runtime=60,
        gpu=gpus,
    params:
        all=[],
    shell:
        "vldeformer score --settings {input.settings:q} --model {input.model:q} --manifest {input.manifest:q}"
        " --features {input.visual:q} --split test {params.all:q} --out {output:q} > {log:q} 2>&1"


use rule score as score_every_pair with:
    output:
        directory(f"artifacts/{DATASET}/{{home}}/score_all"),
    log:
        f"logs/{DATASET}/{{home}}/score_all.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/score_all.tsv"
    params:
        all=["--all"],


rule score_oracle:
    """Scores of all pairs of test by the scenes themselves."""
    input:
        settings=settings("score-oracle"),
        raw=RAW,
        manifest=upstream("prepare/manifest.json"),
    output:
        directory(f"artifacts/{DATASET}/{{home}}/score-oracle"),
    log:
        f"logs/{DATASET}/{{home}}/score-oracle.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/score-oracle.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=30,
    params:
        raw_dir=lambda wildcards: RAW_DIR,
    shell:
        "vldeformer score-oracle --raw-dir {params.raw_dir:q} --manifest {input.manifest:q} --out {output:q} > {log:q} 2>&1"


rule score_lexical:
    """Scores of all pairs of test by the words that tags and captions share."""
    input:
        settings=settings("score-lexical"),
        manifest=upstream("prepare/manifest.json"),
        visual=visual,
    output:
        directory(f"artifacts/{DATASET}/{{home}}/score-lexical"),
    log:
        f"logs/{DATASET}/{{home}}/score-lexical.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/score-lexical.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=30,
    shell:
        "vldeformer score-lexical --settings {input.settings:q} --manifest {input.manifest:q} --features {input.visual:q}"
        " --out {output:q} > {log:q} 2>&1"


rule evaluate:
    """Exact ranks in both directions, recalls with intervals."""
    input:
        settings=settings_for("evaluate"),
        judged=judged,
        fixed=key_list,
    output:
        result=f"results/{DATASET}/{{experiment}}/{{protocol}}.json",
        ranks=f"results/{DATASET}/{{experiment}}/{{protocol}}.ranks.parquet",
    log:
        f"logs/{DATASET}/{{experiment}}/evaluate-{{protocol}}.log",
    benchmark:
        f"logs/{DATASET}/{{experiment}}/evaluate-{{protocol}}.tsv"
    wildcard_constraints:
        experiment=one_of(PLAN.settings),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        dataset=DATASET,
        option=judged_option,
        part=judged_part,
        fixed=lambda wildcards, input: [argument for path in input.fixed for argument in option("--keys", path)],
    shell:
        "vldeformer evaluate --settings {input.settings:q} --dataset {params.dataset:q} --experiment {wildcards.experiment:q}"
        " {params.option:q} {input.judged:q} {params.part:q} {params.fixed:q} --protocol {wildcards.protocol:q}"
        " --out {output.result:q} > {log:q} 2>&1"


rule speed:
    """Time of joint and of decomposed retrieval on this machine. All cores: nothing else may run meanwhile."""
    input:
        settings=shared_settings("speed"),
        joint=artifact(BASE.report.baseline, "train/model"),
        dual=artifact(BASE.report.main, "train/model"),
        manifest=artifact(BASE.report.main, "prepare/manifest.json"),
        visual=visual_of(BASE.report.main),
    output:
        f"results/{DATASET}/speed.json",
    log:
        f"logs/{DATASET}/base/speed.log",
    benchmark:
        f"logs/{DATASET}/base/speed.tsv"
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=growing(2000),
        runtime=30,
        gpu=gpus_of(BASE.report.main),
    shell:
        "vldeformer speed --settings {input.settings:q} --joint {input.joint:q} --dual {input.dual:q}"
        " --manifest {input.manifest:q} --features {input.visual:q} --out {output:q} > {log:q} 2>&1"


rule pair_time:
    """Time of a pair at the depth of a joint model. All cores: nothing else may run meanwhile."""
    input:
        settings=shared_settings("pair-time"),
        model=of_experiment("train/model"),
        manifest=of_experiment("prepare/manifest.json"),
        visual=lambda wildcards: visual_of(wildcards.experiment),
    output:
        f"results/{DATASET}/ablations/pair_times/{{experiment}}.json",
    log:
        f"logs/{DATASET}/{{experiment}}/pair_time.log",
    benchmark:
        f"logs/{DATASET}/{{experiment}}/pair_time.tsv"
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=growing(2000),
        runtime=30,
        gpu=lambda wildcards: gpus_of(wildcards.experiment),
    shell:
        "vldeformer pair-time --settings {input.settings:q} --model {input.model:q} --manifest {input.manifest:q}"
        " --features {input.visual:q} --out {output:q} > {log:q} 2>&1"
