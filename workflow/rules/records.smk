"""Records of experiments: small files in git, from which the tables of the ablations are made.

A record whose settings are those of the plan stands for its experiment where the model is not here, in a fresh clone for example:
no rule makes it, so nothing before it is asked for and Snakemake has no reason to run. `--config fresh=true`, or removing the
record, has the experiment trained again.
"""


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


for comparison, experiments in PLAN.run.experiments.comparisons(PLAN.files).items():

    rule:
        name:
            f"compare_{comparison}"
        input:
            [f"results/{DATASET}/records/{name}.json" for name in experiments],
