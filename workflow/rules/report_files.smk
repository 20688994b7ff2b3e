"""Which results, tables, figures and curves the report of a run reads and writes."""

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


def results_of(experiments):
    """Every experiment under `subset`, and those that are not joint under `test` and the published protocols; re-ranking last."""
    subset = [f"results/{DATASET}/{name}/subset.json" for name in experiments]
    whole = [name for name in experiments if PLAN.settings[name].train.kind != "joint"]
    protocols = ["test", *BASE.report.published_protocols]
    reranked = [f"results/{DATASET}/reranked/{protocol}.json" for protocol in ("subset", "test")]
    return subset + [f"results/{DATASET}/{name}/{protocol}.json" for protocol in protocols for name in whole] + reranked


def compositional_of(experiments):
    """Results of the experiments with a model, where the data set has items."""
    models = [name for name in experiments if is_trained(name)]
    return [f"results/{DATASET}/{name}/compositional.json" for name in models] if BUILT_IN else []


def journals_of(experiments):
    """Journals of the models that were trained, by experiment."""
    names = [name for name in experiments if is_trained(name) and PLAN.settings[name].train.steps > 0]
    return {name: artifact(name, "train/journal.jsonl") for name in names}


def plots():
    """Curves of all models for `dvc plots`: recall at k, training, validation, time of a query."""
    return [f"results/{DATASET}/plots/{name}.csv" for name in ("recall", "training", "validation", "gallery_time")]


def published():
    """Recalls of other models, where the settings name protocols under which ours stand beside them."""
    return [literal(f"{workflow.basedir}/config/published.csv")] if BASE.report.published_protocols else []


def tables_of(experiments):
    """Names of the tables of a run."""
    tested = ["compositional"] if compositional_of(experiments) else []
    return ["headline", "recall", "recall_drop", "speed", "rerank"] + tested + (["peers"] if published() else [])


def pictures():
    """What the page shows of an image; a published download of features has none."""
    return [] if VINVL else artifact(BASE.report.main, "prepare/pixels")


def negatives_shown():
    """The composed negatives of the main model, if its training reads them."""
    needed = PLAN.settings[BASE.report.main].train.needs_composed
    return artifact(BASE.report.main, "negatives/summary.json") if needed else []


# The ablations of which this data set has rows to compare.
ABLATIONS = PLAN.ablations_report.ablations


def ablation_tables():
    tested = ["compositional"] if compositional_of(ABLATED) else []
    return ["headline", "recall", "recall_drop", *tested, *ABLATIONS]


def ablation_figures():
    """A curve where there is an axis, accuracy against cost where there are joint models."""
    curves = [name for name, ablation in ABLATIONS.items() if ablation.axis is not None]
    timed = [name for name, ablation in ABLATIONS.items() if any(row.experiment in PLAN.timed for row in ablation.rows)]
    return curves + [f"{name}_cost" for name in timed]


def judged_datasets():
    """Folders of the data sets with results, this one's included; the tiny world is too small to say anything."""
    there = {path.parent.name for path in Path("results").glob("*/report.json")}
    return [f"results/{name}" for name in sorted((there | {DATASET}) - {"tiny"})]


def read_for_claims(wildcards):
    """Input function: reports of the other data sets, as far as they were run."""
    files = ["report.json", "ablations/report.json"]
    others = [f"{folder}/{file}" for folder in judged_datasets() for file in files if folder != f"results/{DATASET}"]
    return [path for path in others if Path(path).is_file()]
