"""Results → tables, figures and the page of claims, from files that are named one by one: what else lies in results/ has no part."""


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
        tables=expand(
            f"results/{DATASET}/tables/{{table}}.{{form}}",
            table=tables_of(EXPERIMENTS),
            form=["md", "csv", "tex", "sources.json"],
        ),
        figures=expand(
            f"results/{DATASET}/figures/{{figure}}.{{form}}",
            figure=["recalls", "training", "gallery_time", "rerank"],
            form=["svg", "png"],
        ),
    log:
        f"logs/{DATASET}/base/report.log",
    benchmark:
        f"logs/{DATASET}/base/report.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
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
        tables=expand(
            f"results/{DATASET}/ablations/tables/{{table}}.{{form}}",
            table=ablation_tables(),
            form=["md", "csv", "tex", "sources.json"],
        ),
        figures=expand(
            f"results/{DATASET}/ablations/figures/{{figure}}.{{form}}",
            figure=ablation_figures(),
            form=["svg", "png"],
        ),
    log:
        f"logs/{DATASET}/base/ablations.log",
    benchmark:
        f"logs/{DATASET}/base/ablations.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
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
        rules.report.output.metrics,
        rules.report.output.tables,
        rules.report_ablations.output.metrics,
        rules.speed.output,
        read_for_claims(),
    output:
        "docs/claims.md",
    log:
        f"logs/{DATASET}/base/claims.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        results=judged_datasets(),
    shell:
        "vldeformer claims --results {params.results} --out {output} 2>&1 | tee {log}"
