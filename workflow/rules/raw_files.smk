"""Raw files: what of them is missing, and which of them a rule reads."""


def missing_raw_files():
    """What is missing of the raw data, or None. Snakemake takes what is there for up to date if a file that it would be made of
    is missing; that is right if these settings made it, else a misspelt name would end in "Nothing to be done"."""
    problem = PLAN.missing_raw_files(Path())
    record = Path(f"artifacts/{PLAN.run.dataset}/{SHARED_HOME}/prepare/{RECORD}")
    if problem is None or not record.exists():
        return problem
    used, wanted = read_json(record).get("settings", {}), read_json(Path(PLAN.settings_file(SHARED_HOME, "prepare")))
    return None if all(used.get(name) == value for name, value in wanted.items() if name != "version") else problem


def literal(path):
    """A path in which Snakemake sees no wildcards."""
    return path.replace("{", "{{").replace("}", "}}")


def world_settings(wildcards):
    """The settings of the built-in world, as an input whose time counts only if the raw file was made from others.

    After a clone or `dvc pull` the settings file is newer than the raw file, although nothing has changed; so contents
    are compared here: a copy of the settings that made the raw file is kept with it. One without a version is of version 1.
    """
    wanted, used = settings_in(SHARED_HOME, "fetch"), Path(RAW_DIR, "settings.json")
    same = used.is_file() and {"version": 1} | read_json(used) == read_json(Path(wanted))
    return ancient(wanted) if same else wanted


def downloaded(name):
    """Input function: a file of the download that holds a part's features."""
    return lambda wildcards: f"{RAW_DIR}/{REGION_STORES[wildcards.part].features}/{name}"
