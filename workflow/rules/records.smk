"""Records of experiments: small files in git, from which the tables of the ablations are made.

A record whose settings are those of the plan stands for its experiment where the model is not here, in a fresh clone for example:
no rule makes it, so nothing before it is asked for and Snakemake has no reason to run. `--config fresh=true`, or removing the
record, has the experiment trained again.
"""


def of_records(wildcards):
    """Everything measured of an experiment: its results, and where it was trained."""
    name = wildcards.experiment
    if name == RERANKED:
        return {"results": [f"results/{DATASET}/{name}/{protocol}.json" for protocol in ("subset", "test")]}
    kind = PLAN.settings[name].train.kind
    protocols = ["subset"] if kind == "joint" else ["subset", "test"]
    tested = BUILT_IN and kind != "oracle"
    return {
        "results": [f"results/{DATASET}/{name}/{protocol}.json" for protocol in protocols],
        "compositional": f"results/{DATASET}/{name}/compositional.json" if tested else [],
        "pair_time": f"results/{DATASET}/ablations/pair_times/{name}.json" if name in PLAN.timed else [],
        "model": artifact(name, "train/model") if kind != "oracle" else [],
    }


def record_settings(wildcards):
    return settings_in(SHARED_HOME if PLAN.experiment(SHARED_HOME) == wildcards.experiment else wildcards.experiment, "record")


RECORDS_MADE = [name for name in PLAN.tabled if name not in PLAN.standing]


rule record:
    """Settings, the rank of every query, figures, and where they were made."""
    input:
        unpack(of_records),
        settings=record_settings,
    output:
        f"results/{DATASET}/records/{{experiment}}.json",
    log:
        f"logs/{DATASET}/{{experiment}}/record.log",
    wildcard_constraints:
        experiment=one_of(RECORDS_MADE),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(500),
        runtime=5,
    params:
        compositional=optional("--compositional", "compositional"),
        pair_time=optional("--pair-time", "pair_time"),
        model=optional("--model", "model"),
    shell:
        "vldeformer record --settings {input.settings:q} --results {input.results:q} {params.compositional:q}"
        " {params.pair_time:q} {params.model:q} --out {output:q} > {log:q} 2>&1"
