"""Results → tables, figures and the page of claims, from files that are named one by one: what else lies in results/ has no part."""

TABLE_FORMS = ["md", "csv", "tex", "sources.json"]
FIGURE_FORMS = ["svg", "png"]


report: "../report/workflow.rst"


rule report:
    """Metrics, tables and figures of the run."""
    input:
        settings=f"artifacts/{DATASET}/base/settings/report.json",
        results=results_of(EXPERIMENTS),
        speed=rules.speed.output,
        journals=list(journals_of(EXPERIMENTS).values()),
        published=published(),
        compositional=compositional_of(EXPERIMENTS),
        rerank=f"results/{DATASET}/reranked/depths",
    output:
        metrics=f"results/{DATASET}/metrics.json",
        report=f"results/{DATASET}/report.json",
        tables=shown("tables", tables_of(EXPERIMENTS), TABLE_FORMS),
        figures=shown("figures", ["recalls", "training", "gallery_time", "rerank"], FIGURE_FORMS),
        plots=plots(),
        record=f"results/{DATASET}/report.provenance.json",
    log:
        f"logs/{DATASET}/base/report.log",
    benchmark:
        f"logs/{DATASET}/base/report.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        journals=named(journals_of(EXPERIMENTS)),
        published=shlex.join(["--published", *published()]) if published() else "",
        out=subpath(output.metrics, parent=True),
    shell:
        "vldeformer report --settings {input.settings} --results {input.results} --speed {input.speed}"
        " {params.published} --journals {params.journals} --compositional {input.compositional} --rerank {input.rerank}"
        " --out {params.out} 2>&1 | tee {log}"


rule report_ablations:
    """A table about each choice of the method, curves, and the recall drop over seeds."""
    input:
        settings=f"artifacts/{DATASET}/base/settings/ablations.json",
        results=results_of(ABLATED),
        compositional=compositional_of(ABLATED),
        speed=rules.speed.output,
        pair_times=list(pair_times().values()),
    output:
        metrics=f"results/{DATASET}/ablations/metrics.json",
        report=f"results/{DATASET}/ablations/report.json",
        tables=shown("tables", ablation_tables(), TABLE_FORMS, part="ablations/"),
        figures=shown("figures", ablation_figures(), FIGURE_FORMS, part="ablations/"),
        record=f"results/{DATASET}/ablations/report.provenance.json",
    log:
        f"logs/{DATASET}/base/ablations.log",
    benchmark:
        f"logs/{DATASET}/base/ablations.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=20,
    params:
        pair_times=named(pair_times()),
        out=subpath(output.metrics, parent=True),
    shell:
        "vldeformer ablations --settings {input.settings} --results {input.results} --compositional {input.compositional}"
        " --speed {input.speed} --pair-times {params.pair_times} --out {params.out} 2>&1 | tee {log}"


rule claims:
    """What the results of all data sets say of the paper's claims."""
    input:
        rules.report.output.report,
        rules.report_ablations.output.report,
        read_for_claims(),
    output:
        "docs/claims.md",
    log:
        f"logs/{DATASET}/base/claims.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(500),
        runtime=5,
    params:
        results=judged_datasets(),
    shell:
        "vldeformer claims --results {params.results} --out {output} 2>&1 | tee {log}"


rule page:
    """One page to read: the answer, tables, figures, examples. That of the ablations has their tables and figures as well."""
    input:
        rules.report.output,
        lambda wildcards: rules.report_ablations.output if wildcards.ablations else [],
        settings=rules.report.input.settings,
        ablations=lambda wildcards: rules.report_ablations.input.settings if wildcards.ablations else [],
        judged=list(judged_of(EXPERIMENTS).values()),
        results=results_of(EXPERIMENTS),
        journals=list(journals_of(EXPERIMENTS).values()),
        manifest=artifact(PLAN.base.report.main, "prepare/manifest.json"),
        visual=visual_of(PLAN.base.report.main),
        pictures=pictures(),
        negatives=negatives_shown(),
    output:
        report(
            f"results/{DATASET}/{{ablations}}report/index.html",
            caption="../report/page.rst",
            category="Page",
            labels={"about": "all tables and figures, examples", "opens as": "page"},
        ),
    log:
        f"logs/{DATASET}/base/{{ablations}}page.log",
    benchmark:
        f"logs/{DATASET}/base/{{ablations}}page.tsv"
    wildcard_constraints:
        ablations="(ablations/)?",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        results=lambda wildcards: f"results/{DATASET}",
        ablations=lambda wildcards, input: f"--ablations {input.ablations}" if input.ablations else "",
        judged=named(judged_of(EXPERIMENTS)),
        journals=named(journals_of(EXPERIMENTS)),
        pictures=lambda wildcards, input: f"--pictures {input.pictures}" if input.pictures else "",
        negatives=lambda wildcards, input: folder_option("--negatives", input.negatives),
    shell:
        "vldeformer page --settings {input.settings} {params.ablations} --results {params.results} --judged {params.judged}"
        " --journals {params.journals} --manifest {input.manifest} --features {input.visual} {params.pictures}"
        " {params.negatives} --out {output} 2>&1 | tee {log}"
