"""Scores of the test images → ranks and measures; the time that joint and decomposed retrieval take.

Protocol `subset`: the first evaluate.joint_images test images with all their captions, which even the joint model can
score; `test`: all of test.
"""


rule score:
    """Scores of all pairs of the subset (joint models)."""
    input:
        settings=settings_file("score"),
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
        all="",
    shell:
        "vldeformer score --settings {input.settings} --model {input.model} --manifest {input.manifest}"
        " --features {input.visual} --split test {params.all} --out {output} 2>&1 | tee {log}"


use rule score as score_every_pair with:
    output:
        directory(f"artifacts/{DATASET}/{{home}}/score_all"),
    log:
        f"logs/{DATASET}/{{home}}/score_all.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/score_all.tsv"
    params:
        all="--all",


rule score_oracle:
    """Scores of all pairs of test by the scenes themselves."""
    input:
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
        "vldeformer score-oracle --raw-dir {params.raw_dir} --manifest {input.manifest}" " --out {output} 2>&1 | tee {log}"


rule evaluate:
    """Exact ranks in both directions, recalls with intervals."""
    input:
        settings=lambda wildcards: settings_for(wildcards.experiment, "evaluate"),
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
        part=part_options,
    shell:
        "vldeformer evaluate --settings {input.settings} --dataset {params.dataset} --experiment {wildcards.experiment}"
        " {params.option} {input.judged} {params.part} --protocol {wildcards.protocol} --out {output.result} 2>&1 | tee {log}"


rule speed:
    """Time of joint and of decomposed retrieval on this machine. All cores: nothing else may run meanwhile."""
    input:
        settings=f"artifacts/{DATASET}/base/settings/speed.json",
        joint=artifact(PLAN.base.report.baseline, "train/model"),
        dual=artifact(PLAN.base.report.main, "train/model"),
        manifest=artifact(PLAN.base.report.main, "prepare/manifest.json"),
        visual=visual_of(PLAN.base.report.main),
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
        gpu=gpus_of(PLAN.base.report.main),
    shell:
        "vldeformer speed --settings {input.settings} --joint {input.joint} --dual {input.dual}"
        " --manifest {input.manifest} --features {input.visual} --out {output} 2>&1 | tee {log}"


rule pair_time:
    """Time of a pair at the depth of a joint model. All cores: nothing else may run meanwhile."""
    input:
        settings=f"artifacts/{DATASET}/base/settings/speed.json",
        model=lambda wildcards: artifact(wildcards.experiment, "train/model"),
        manifest=lambda wildcards: artifact(wildcards.experiment, "prepare/manifest.json"),
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
        "vldeformer pair-time --settings {input.settings} --model {input.model} --manifest {input.manifest}"
        " --features {input.visual} --out {output} 2>&1 | tee {log}"
