"""Pre-training of the backbone; training of the joint and of the decomposed models. Both go on from where they were stopped.

They take the cores that `runtime` names, so that several run side by side where there are more; on a GPU they ask for the
resource `gpu`, one a process. What the longest chain of jobs waits for goes first: pre-training, then joint models.
"""


def checkpoint_files(wildcards):
    """The imported model, where it is on disk and no hub id."""
    name = settings_of(wildcards.home).pretrain.checkpoint
    below = Path(name).parts[0] == Path(RAW_DIR).parts[0]  # a raw file that is missing is named before anything runs
    return [name] if below or Path(name).exists() else []


def start(wildcards):
    """The pre-trained model, if the training starts from it."""
    return upstream("pretrain/model")(wildcards) if settings_of(wildcards.home).train.start == "pretrained" else []


def hard_negatives(wildcards):
    """The composed negatives, if the training reads them."""
    needed = settings_of(wildcards.home).train.needs_composed
    return upstream("negatives/summary.json")(wildcards) if needed else []


def teacher(wildcards):
    """The joint model, if the training reads its scores: as soft targets, or to tell mined negatives from matches."""
    needed = settings_of(wildcards.home).train.needs_teacher
    return artifact(BASE.report.baseline, "train/model") if needed else []


def longest_first(wildcards):
    """Priority of a training: a joint model takes longest, and so does what follows it."""
    return int(settings_of(wildcards.home).train.kind == "joint")


def trainer(wildcards):
    """The command that trains: accelerate starts the processes if there are several."""
    processes = settings_of(wildcards.home).runtime.processes
    if processes == 1:
        return ["vldeformer"]
    machine = ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    return ["accelerate", "launch", "--num_processes", str(processes), *machine, "-m", "vldeformer.cli"]


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
    shell:
        "{params.program:q} train --settings {input.settings:q} --manifest {input.manifest:q} --features {input.visual:q}"
        " --tokenizer {input.tokenizer:q} {params.start:q} {params.negatives:q} {params.teacher:q} --out {params.out:q}"
        " > {log:q} 2>&1"
