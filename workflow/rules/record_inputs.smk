"""What the record of an experiment is made of, and which records a rule makes."""


def of_records(wildcards):
    """Everything measured of an experiment: its results, and where it was trained."""
    name = wildcards.experiment
    if name == RERANKED:
        return {"results": [f"results/{DATASET}/{name}/{protocol}.json" for protocol in ("subset", "test")]}
    protocols = ["subset"] if PLAN.settings[name].train.kind == "joint" else ["subset", "test"]
    trained = is_trained(name)
    return {
        "results": [f"results/{DATASET}/{name}/{protocol}.json" for protocol in protocols],
        "compositional": f"results/{DATASET}/{name}/compositional.json" if BUILT_IN and trained else [],
        "pair_time": f"results/{DATASET}/ablations/pair_times/{name}.json" if name in PLAN.timed else [],
        "model": artifact(name, "train/model") if trained else [],
    }


def record_settings(wildcards):
    return settings_in(SHARED_HOME if PLAN.experiment(SHARED_HOME) == wildcards.experiment else wildcards.experiment, "record")


RECORDS_MADE = [name for name in PLAN.tabled if name not in PLAN.standing]
