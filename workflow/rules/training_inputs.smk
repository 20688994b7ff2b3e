"""What a training reads, if its settings ask for it, and how it is run."""


def region_words(wildcards):
    """The detector's words belong into the vocabulary of a backbone that reads tags."""
    tagged = settings_of(wildcards.home).backbone.reads == "tagged regions"
    return upstream("features/store")(wildcards) if tagged else []


def checkpoint_files(wildcards):
    """The imported model, where it is on disk and no hub id."""
    name = settings_of(wildcards.home).pretrain.checkpoint
    below = Path(name).parts[0] == Path(RAW_DIR).parts[0]  # a raw file that is missing is named before anything runs
    return [name] if below or Path(name).exists() else []


def start(wildcards):
    """The pre-trained model, if the training starts from it."""
    return upstream("pretrain/model")(wildcards) if settings_of(wildcards.home).train.start != "scratch" else []


def hard_negatives(wildcards):
    """The composed negatives, if the training reads them."""
    needed = settings_of(wildcards.home).train.needs_composed
    return upstream("negatives/summary.json")(wildcards) if needed else []


def teacher(wildcards):
    """The joint model, if the training reads its scores: as soft targets, or to tell mined negatives from matches."""
    needed = settings_of(wildcards.home).train.needs_teacher
    return artifact(BASE.report.baseline, "train/model") if needed else []


def control(wildcards):
    """The decomposed model whose ranking of the training set the negatives of a joint model are drawn from."""
    name = PLAN.control_of(PLAN.experiment(wildcards.home))
    return artifact(name, "train/model") if name else []


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
