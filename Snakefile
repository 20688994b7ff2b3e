"""The pipeline: snakemake --cores 8 [all | ablations | everything | score_all] [--configfile config/flickr8k.yaml]

`compare_NAME` trains the experiments of one ablation (`compare_negatives`) and `compare_seeds` those with other seeds; `ablations`
makes the tables of all.

What a step prints goes to its log, which the line of its start names: `tail -F logs/scenes/*/*.log` follows all of them.
"""

from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/configfile.smk"


configfile: "config/default.yaml"


include: "workflow/rules/raw_files.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/artifacts.smk"
include: "workflow/rules/training_inputs.smk"
include: "workflow/rules/evaluation_inputs.smk"
include: "workflow/rules/report_files.smk"
include: "workflow/rules/vinvl.smk" if VINVL else "workflow/rules/pixels.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/embed_shards.smk" if PLAN.run.embed_shards > 1 else "workflow/rules/embed.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/compositional.smk"
include: "workflow/rules/rerank.smk"
include: "workflow/rules/record_inputs.smk"
include: "workflow/rules/records.smk"
include: "workflow/rules/report.smk"


rule all:
    """Metrics, tables and figures of the experiments under `experiments: all:` of the configfile."""
    default_target: True
    input:
        rules.report.output,
        f"results/{DATASET}/report/index.html",


rule ablations:
    """A table about each choice, from the experiments under `ablations:` as well, in the folder results/DATASET/ablations."""
    input:
        rules.report_ablations.output,
        f"results/{DATASET}/ablations/report/index.html",


rule everything:
    """Both, and docs/claims.md, which the tiny world has no part in."""
    input:
        rules.all.input,
        rules.ablations.input,
        rules.claims.output if DATASET != "tiny" else [],


rule score_all:
    """Recall of the joint model on all of test, from the scores of every pair of it: long."""
    input:
        f"results/{DATASET}/{BASE.report.baseline}/test.json",
