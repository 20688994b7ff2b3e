"""Which file a rule reads or writes for an experiment. Rules work in a home, which several experiments may share."""


def settings_file(stage):
    return f"artifacts/{DATASET}/{{home}}/settings/{stage}.json"


def settings_for(experiment, stage):
    return f"artifacts/{DATASET}/{PLAN.home(experiment, stage)}/settings/{stage}.json"


def settings_of(home):
    return PLAN.settings[PLAN.experiment(home)]


def artifact(experiment, path):
    """An artifact of an experiment, e.g. `prepare/manifest.json`, in the home that it has or shares."""
    stage = Path(path).parts[0].removesuffix("_all")
    return f"artifacts/{DATASET}/{PLAN.home(experiment, stage)}/{path}"


def upstream(path):
    """Input function: that artifact, of the experiment in whose home the rule works."""
    return lambda wildcards: artifact(PLAN.experiment(wildcards.home), path)


def one_of(names):
    """Pattern of a wildcard that stands for one of these names and, if there are none, for nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


def homes_of(stage, imported):
    """Homes of a stage, of the experiments that start from an imported model or of those that do not."""
    chosen = [name for name, each in PLAN.settings.items() if (each.pretrain.checkpoint is not None) == imported]
    return sorted({PLAN.home(name, stage) for name in chosen})


def checkpoint_files(wildcards):
    """The imported model, where it is on disk and no hub id."""
    name = settings_of(wildcards.home).pretrain.checkpoint
    below = Path(name).parts[0] == Path(RAW_DIR).parts[0]  # a raw file that is missing is named before anything runs
    return [name] if below or Path(name).exists() else []


def part_options(wildcards):
    """A published protocol is of one data set: of a joined one its part is judged, by its own ids."""
    part = wildcards.protocol.split("-")[0]
    options = ["--part", part] if len(PARTS) > 1 and part in PARTS else []
    options += [argument for path in key_list(wildcards) for argument in ("--keys", path)]
    return shlex.join(options)


def key_list(wildcards):
    """The fixed list of images of the protocol coco-1k-fixed."""
    if not VINVL or wildcards.protocol != "coco-1k-fixed":
        return []
    given = [part.keys_1k for part in PARTS.values() if part.keys_1k]
    if len(given) != 1:
        raise WorkflowError(f"protocol coco-1k-fixed needs keys_1k in one part of dataset.parts, got it in {len(given)}")
    return [f"{RAW_DIR}/{given[0]}"]


def visual_of(experiment):
    """What the backbone sees of an image: detector regions or pixels."""
    pixels = PLAN.settings[experiment].backbone.reads == "pixels"
    return artifact(experiment, "prepare/pixels" if pixels else "features/store")


def visual(wildcards):
    return visual_of(PLAN.experiment(wildcards.home))


def region_words(wildcards):
    """The detector's words belong into the vocabulary of a backbone that reads tags."""
    tagged = settings_of(wildcards.home).backbone.reads == "tagged regions"
    return upstream("features/store")(wildcards) if tagged else []


def start(wildcards):
    """The pre-trained model, if the training starts from it."""
    return upstream("pretrain/model")(wildcards) if settings_of(wildcards.home).train.start != "scratch" else []


def longest_first(wildcards):
    """Priority of a training: a joint model takes longest, and so does what follows it."""
    return int(settings_of(wildcards.home).train.kind == "joint")


def hard_negatives(wildcards):
    """The composed negatives, if the training reads them."""
    needed = settings_of(wildcards.home).train.needs_composed
    return upstream("negatives/summary.json")(wildcards) if needed else []


def teacher(wildcards):
    """The joint model, if the training reads its scores: as soft targets, or to tell mined negatives from matches."""
    needed = settings_of(wildcards.home).train.needs_teacher
    return artifact(PLAN.base.report.baseline, "train/model") if needed else []


def folder_option(option, path):
    """`--option FOLDER` with the folder of a file that may be left out."""
    return f"{option} {Path(path).parent}" if path else ""


def judged(wildcards):
    """What an experiment's recall is measured on."""
    stage = JUDGED_BY[PLAN.settings[wildcards.experiment].train.kind]
    everything = stage == "score" and wildcards.protocol != "subset"
    return artifact(wildcards.experiment, "score_all" if everything else stage)


def judged_option(wildcards):
    return "--embeddings" if PLAN.settings[wildcards.experiment].train.kind == "dual" else "--scores"


def growing(megabytes):
    """Memory that doubles at every attempt: two or three times what the default run was measured to take, others may need more."""
    return lambda wildcards, attempt: megabytes * 2 ** (attempt - 1)


def gpus_of(experiment):
    runtime = PLAN.settings[experiment].runtime
    return runtime.processes if runtime.device == "cuda" else 0


def gpus(wildcards):
    return gpus_of(PLAN.experiment(wildcards.home))


def trainer(wildcards):
    """The command that trains: accelerate starts the processes if there are several."""
    processes = settings_of(wildcards.home).runtime.processes
    if processes == 1:
        return "vldeformer"
    machine = "--num_machines 1 --mixed_precision no --dynamo_backend no"
    return f"accelerate launch --num_processes {processes} {machine} -m vldeformer.cli"


def results_of(experiments):
    """Every experiment under `subset`, and those that are not joint under `test` and the published protocols; re-ranking last."""
    subset = [f"results/{DATASET}/{name}/subset.json" for name in experiments]
    whole = [name for name in experiments if PLAN.settings[name].train.kind != "joint"]
    protocols = ["test", *PLAN.base.report.published_protocols]
    return subset + [f"results/{DATASET}/{name}/{protocol}.json" for protocol in protocols for name in whole] + reranked_results()


def compositional_of(experiments):
    """Results of the experiments with a model, where the data set has items."""
    models = [name for name in experiments if PLAN.settings[name].train.kind != "oracle"]
    return [f"results/{DATASET}/{name}/compositional.json" for name in models] if BUILT_IN else []


def reranked_results():
    """Inputs of the report; those that other models have as well."""
    return [f"results/{DATASET}/reranked/{protocol}.json" for protocol in ("subset", "test")]


def journals_of(experiments):
    """Journals of the models that were trained, by experiment."""
    trained = {name: PLAN.settings[name].train for name in experiments}
    names = [name for name, train in trained.items() if train.kind != "oracle" and train.steps > 0]
    return {name: artifact(name, "train/journal.jsonl") for name in names}


def plots():
    """Curves of all models for `dvc plots`: recall at k, training, validation, time of a query."""
    return [f"results/{DATASET}/plots/{name}.csv" for name in ("recall", "training", "validation", "gallery_time")]


def tables_of(experiments):
    """Names of the tables of a run."""
    tested = ["compositional"] if compositional_of(experiments) else []
    return ["headline", "recall", "recall_drop", "speed", "rerank"] + tested + (["peers"] if published() else [])


# What the names of some files mean, where the name alone does not say it.
SHOWN_AS = {
    "gallery_time": "time of a query",
    "peers": "beside published recalls",
    "recalls": "recall with intervals",
    "rerank": "re-ranking",
    "training": "training curves",
}


def shown(kind, names, forms, part=""):
    """Files of tables or figures, in every form; the form that `snakemake --report` shows is marked for it."""
    marked = {"tables": "csv", "figures": "svg"}[kind]
    files = []
    for name in names:
        known = Path(workflow.basedir, "workflow", "report", f"{name}.rst").is_file()
        files += [f"results/{DATASET}/{part}{kind}/{name}.{form}" for form in forms if form != marked]
        looked_at = report(
            f"results/{DATASET}/{part}{kind}/{name}.{marked}",
            caption=f"../report/{name if known else 'ablation'}.rst",
            category=kind.capitalize(),
            subcategory="Ablations" if part else "Main run",
            labels={
                "about": SHOWN_AS.get(name, name.replace("_", " ")),
                "opens as": {"csv": "CSV file", "svg": "picture"}[marked],
            },
        )
        files.append(looked_at)
    return files


def ablations():
    """The ablations of which this data set has rows to compare."""
    return PLAN.ablations_report.ablations


def timed_by(ablation):
    """The joint models among its rows: what a pair costs at their depth is measured."""
    return [row.experiment for row in ablation.rows if PLAN.settings[row.experiment].train.kind == "joint"]


def pair_times():
    """Experiment → the file with the time of a pair."""
    names = dict.fromkeys(name for ablation in ablations().values() for name in timed_by(ablation))
    return {name: f"results/{DATASET}/ablations/pair_times/{name}.json" for name in names}


def ablation_tables():
    tested = ["compositional"] if compositional_of(ABLATED) else []
    return ["headline", "recall", "recall_drop", *tested, *ablations()]


def ablation_figures():
    """A curve where there is an axis, accuracy against cost where there are joint models."""
    curves = [name for name, ablation in ablations().items() if ablation.axis is not None]
    return curves + [f"{name}_cost" for name, ablation in ablations().items() if timed_by(ablation)]


def judged_datasets():
    """Folders of the data sets with results, this one's included; the tiny world is too small to say anything."""
    there = {path.parent.name for path in Path("results").glob("*/report.json")}
    return [f"results/{name}" for name in sorted((there | {DATASET}) - {"tiny"})]


def read_for_claims():
    """Reports of the other data sets, as far as they were run."""
    files = ["report.json", "ablations/report.json"]
    others = [f"{folder}/{file}" for folder in judged_datasets() for file in files if folder != f"results/{DATASET}"]
    return [path for path in others if Path(path).is_file()]


def published():
    """Recalls of other models, where the settings name protocols under which ours stand beside them."""
    return [f"{workflow.basedir}/config/published.csv"] if PLAN.base.report.published_protocols else []


def named(files):
    """The arguments NAME=FILE."""
    return [f"{name}={path}" for name, path in files.items()]


def world_settings(wildcards):
    """The settings of the built-in world, as an input whose time counts only if the raw file was made from others.

    After a clone or `dvc pull` the settings file is newer than the raw file, although nothing has changed; so contents
    are compared here: the settings that made the raw file lie beside it.
    """
    wanted, used = Path(f"artifacts/{DATASET}/base/settings/fetch.json"), Path(RAW_DIR, "settings.json")
    same = used.is_file() and used.read_bytes() == wanted.read_bytes()
    return ancient(str(wanted)) if same else str(wanted)


def judged_of(experiments):
    """Experiment → the vectors or scores of the pairs that all models share."""
    return {name: artifact(name, JUDGED_BY[PLAN.settings[name].train.kind]) for name in experiments}


def pictures():
    """What the page shows of an image; a published download of features has none."""
    return [] if VINVL else artifact(PLAN.base.report.main, "prepare/pixels")


def negatives_shown():
    """The composed negatives of the main model, if its training reads them."""
    needed = PLAN.settings[PLAN.base.report.main].train.needs_composed
    return artifact(PLAN.base.report.main, "negatives/summary.json") if needed else []
