"""Results → tables, figures and the page of claims, from files that are named one by one: what else lies in results/ has no part."""

TABLE_FORMS = ["md", "csv", "tex", "sources.json"]
FIGURE_FORMS = ["svg", "png"]


report: "../report/workflow.rst"


rule report:
    """Metrics, tables and figures of the run."""
    input:
        settings=shared_settings("report"),
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
        published=optional("--published", "published"),
        out=subpath(output.metrics, parent=True),
    shell:
        "vldeformer report --settings {input.settings:q} --results {input.results:q} --speed {input.speed:q}"
        " {params.published:q} --journals {params.journals:q} --compositional {input.compositional:q} --rerank {input.rerank:q}"
        " --out {params.out:q} > {log:q} 2>&1"


rule report_ablations:
    """A table about each choice of the method, curves, and the recall drop over seeds."""
    input:
        settings=shared_settings("ablations"),
        records=[f"results/{DATASET}/records/{name}.json" for name in PLAN.tabled],
        speed=rules.speed.output,
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
        out=subpath(output.metrics, parent=True),
    shell:
        "vldeformer ablations --settings {input.settings:q} --results {input.records:q} --speed {input.speed:q}"
        " --out {params.out:q} > {log:q} 2>&1"


rule claims:
    """What the results of all data sets say of the paper's claims."""
    input:
        rules.report.output.report,
        rules.report_ablations.output.report,
        read_for_claims,
        settings=shared_settings("claims"),
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
        "vldeformer claims --results {params.results:q} --out {output:q} > {log:q} 2>&1"


rule page:
    """One page to read: the answer, tables, figures, examples. That of the ablations has their tables and figures as well."""
    input:
        rules.report.output,
        lambda wildcards: rules.report_ablations.output if wildcards.ablations else [],
        settings=shared_settings("page"),
        ablations=lambda wildcards: shared_settings("ablations")(wildcards) if wildcards.ablations else [],
        judged=[judged_of(name) for name in EXPERIMENTS],
        results=results_of(EXPERIMENTS),
        journals=list(journals_of(EXPERIMENTS).values()),
        manifest=artifact(BASE.report.main, "prepare/manifest.json"),
        visual=visual_of(BASE.report.main),
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
        ablations=optional("--ablations", "ablations"),
        judged=named({name: judged_of(name) for name in EXPERIMENTS}),
        journals=named(journals_of(EXPERIMENTS)),
        pictures=optional("--pictures", "pictures"),
        negatives=optional("--negatives", "negatives", parent=True),
    shell:
        "vldeformer page --settings {input.settings:q} {params.ablations:q} --results {params.results:q}"
        " --judged {params.judged:q} --journals {params.journals:q} --manifest {input.manifest:q} --features {input.visual:q}"
        " {params.pictures:q} {params.negatives:q} --out {output:q} > {log:q} 2>&1"
