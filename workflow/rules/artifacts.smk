"""Which files a rule reads for an experiment. Rules work in a home, which several experiments may share."""


def settings_in(home, step):
    """The settings file of a step in a home, written if it is another one."""
    path = PLAN.settings_file(home, step)
    # Snakemake may have listed the folder before the file was there.
    workflow.iocache.exists_local[path] = True
    return path


def settings(step):
    """Input function: the settings file of a step in the home of the rule."""
    return lambda wildcards: settings_in(wildcards.home, step)


def settings_for(step):
    """Input function: that of an experiment."""
    return lambda wildcards: settings_in(PLAN.home(wildcards.experiment, step), step)


def shared_settings(step):
    """Input function: that of a step which is run once for all experiments."""
    return lambda wildcards: settings_in(SHARED_HOME, step)


def settings_of(home):
    return PLAN.settings[PLAN.experiment(home)]


def artifact(experiment, path):
    """An artifact of an experiment, e.g. `prepare/manifest.json`, in the home that it has or shares."""
    step = Path(path).parts[0].removesuffix("_all")
    return f"artifacts/{DATASET}/{PLAN.home(experiment, step)}/{path}"


def upstream(path):
    """Input function: that artifact, of the experiment in whose home the rule works."""
    return lambda wildcards: artifact(PLAN.experiment(wildcards.home), path)


def of_experiment(path):
    """Input function: that artifact of the experiment that the output names."""
    return lambda wildcards: artifact(wildcards.experiment, path)


def visual_of(experiment):
    """What the backbone sees of an image: detector regions or pixels."""
    pixels = PLAN.settings[experiment].backbone.reads == "pixels"
    return artifact(experiment, "prepare/pixels" if pixels else "features/store")


def visual(wildcards):
    """Input function: what the backbone in the home of the rule sees."""
    return visual_of(PLAN.experiment(wildcards.home))


def judged_of(experiment):
    """The vectors or scores that an experiment's recall on the shared pairs is measured on."""
    return artifact(experiment, JUDGED_BY[PLAN.settings[experiment].train.kind])


def is_trained(experiment):
    """Whether an experiment has a model of its own."""
    return isinstance(PLAN.settings[experiment].train, RetrievalTraining)


def one_of(names):
    """Pattern of a wildcard that stands for one of these names and, if there are none, for nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


def homes_of(step, imported):
    """Homes of a step, of the experiments that start from an imported model or of those that do not."""
    chosen = [name for name, each in PLAN.settings.items() if (each.pretrain.checkpoint is not None) == imported]
    return sorted({PLAN.home(name, step) for name in chosen})


def homes_of_regions(photographs):
    """Homes of the regions of photographs, or of those of the built-in world."""
    chosen = [name for name, each in PLAN.settings.items() if (each.regions.kind != "scenes") == photographs]
    return sorted({PLAN.home(name, "features") for name in chosen})


def option(name, values):
    """Arguments `--name VALUE...`; none if there are no values. Rules write `{params.x:q}`, which quotes each."""
    values = [values] if isinstance(values, str) else list(values)
    return [name, *values] if values else []


def optional(name, key, parent=False):
    """Params function: the option for an input that may be left out; its folder with `parent`."""

    def arguments(wildcards, input):
        given = input.get(key) or []
        return option(name, str(Path(given).parent) if given and parent else given)

    return arguments


def named(files):
    """The arguments NAME=FILE."""
    return [f"{name}={path}" for name, path in files.items()]


def growing(megabytes):
    """Memory that doubles at every attempt: two or three times what the default run was measured to take, others may need more."""
    return lambda wildcards, attempt: megabytes * 2 ** (attempt - 1)


def gpus_of(experiment):
    runtime = PLAN.settings[experiment].runtime
    return runtime.processes if runtime.device == "cuda" else 0


def gpus(wildcards):
    return gpus_of(PLAN.experiment(wildcards.home))
