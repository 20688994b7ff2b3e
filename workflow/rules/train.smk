"""Pre-training of the backbone; training of the joint and of the decomposed models. Both go on from where they were stopped.

They take the cores that `runtime` names, so that several run side by side where there are more; on a GPU they ask for the
resource `gpu`, one a process. What the longest chain of jobs waits for goes first: pre-training, then joint models.
"""


rule import_weights:
    """A published model in place of pre-training."""
    input:
        settings=settings_file("pretrain"),
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
        "vldeformer import-weights {params.checkpoint} --out {output} 2>&1 | tee {log}"


rule pretrain:
    """Masked words and match / no match."""
    input:
        settings=settings_file("pretrain"),
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
        "{params.program} pretrain --settings {input.settings} --manifest {input.manifest} --features {input.visual}"
        " --tokenizer {input.tokenizer} --out {params.out} 2>&1 | tee {log}"


rule train:
    """A retrieval model: joint, or decomposed."""
    input:
        settings=settings_file("train"),
        manifest=upstream("prepare/manifest.json"),
        visual=visual,
        tokenizer=upstream("vocabulary/tokenizer.json"),
        start=start,
        negatives=hard_negatives,
        teacher=teacher,
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
        start=lambda wildcards, input: f"--start {input.start}" if input.start else "",
        negatives=lambda wildcards, input: folder_option("--negatives", input.negatives),
        teacher=lambda wildcards, input: f"--teacher {input.teacher}" if input.teacher else "",
    shell:
        "{params.program} train --settings {input.settings} --manifest {input.manifest} --features {input.visual}"
        " --tokenizer {input.tokenizer} {params.start} {params.negatives} {params.teacher} --out {params.out} 2>&1 | tee {log}"
