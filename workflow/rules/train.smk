"""Pre-training of the backbone; training of the joint and of the decomposed models. Both go on from where they were stopped.

They take the cores that `runtime` names, so that several run side by side where there are more; on a GPU they ask for the
resource `gpu`, one a process. What the longest chain of jobs waits for goes first: pre-training, then joint models.
"""


rule import_weights:
    """A published model in place of pre-training."""
    input:
        settings=settings("import-weights"),
        checkpoint=checkpoint_files,
    output:
        directory(f"artifacts/{DATASET}/{{home}}/pretrain/model"),
    log:
        f"logs/{DATASET}/{{home}}/import_weights.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/import_weights.tsv"
    wildcard_constraints:
        home=one_of(homes_of("pretrain", imported=True)),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(6000),
        runtime=30,
    params:
        checkpoint=lambda wildcards: settings_of(wildcards.home).pretrain.checkpoint,
    shell:
        "vldeformer import-weights {params.checkpoint:q} --out {output:q} > {log:q} 2>&1"


rule pretrain:
    """Masked words and match / no match."""
    input:
        settings=settings("pretrain"),
        manifest=upstream("prepare/manifest.json"),
        visual=visual,
        tokenizer=upstream("vocabulary/tokenizer.json"),
    output:
        model=directory(f"artifacts/{DATASET}/{{home}}/pretrain/model"),
        journal=f"artifacts/{DATASET}/{{home}}/pretrain/journal.jsonl",
    log:
        f"logs/{DATASET}/{{home}}/pretrain.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/pretrain.tsv"
    wildcard_constraints:
        home=one_of(homes_of("pretrain", imported=False)),
    priority: 1
    conda:
        "../../environment.yml"
    threads: THREADS
    resources:
        mem_mb=growing(2000),
        runtime=240,
        gpu=gpus,
    params:
        program=trainer,
        out=subpath(output.journal, parent=True),
    shell:
        "{params.program:q} pretrain --settings {input.settings:q} --manifest {input.manifest:q} --features {input.visual:q}"
        " --tokenizer {input.tokenizer:q} --out {params.out:q} > {log:q} 2>&1"


rule train:
    """A retrieval model: joint, or decomposed."""
    input:
        settings=settings("train"),
        manifest=upstream("prepare/manifest.json"),
        visual=visual,
        tokenizer=upstream("vocabulary/tokenizer.json"),
        start=start,
        negatives=hard_negatives,
        teacher=teacher,
        control=control,
    output:
        model=directory(f"artifacts/{DATASET}/{{home}}/train/model"),
        journal=f"artifacts/{DATASET}/{{home}}/train/journal.jsonl",
    log:
        f"logs/{DATASET}/{{home}}/train.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/train.tsv"
    priority: longest_first
    conda:
        "../../environment.yml"
    threads: THREADS
    resources:
        mem_mb=growing(3000),
        runtime=240,
        gpu=gpus,
    params:
        program=trainer,
        out=subpath(output.journal, parent=True),
        start=optional("--start", "start"),
        negatives=optional("--negatives", "negatives", parent=True),
        teacher=optional("--teacher", "teacher"),
        control=optional("--control", "control"),
    shell:
        "{params.program:q} train --settings {input.settings:q} --manifest {input.manifest:q} --features {input.visual:q}"
        " --tokenizer {input.tokenizer:q} {params.start:q} {params.negatives:q} {params.teacher:q} {params.control:q}"
        " --out {params.out:q} > {log:q} 2>&1"
