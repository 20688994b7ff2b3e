"""Results → metrics.json, tables and figures, from files that are named one by one: what else lies in results/ has no part."""


rule report:
    """Metrics, tables and figures."""
    input:
        settings=f"artifacts/{DATASET}/base/settings/report.json",
        results=results_of(EXPERIMENTS),
        speed=rules.speed.output,
        journals=list(journals_of(EXPERIMENTS).values()),
        published=published(),
    output:
        metrics=f"results/{DATASET}/metrics.json",
        tables=expand(
            f"results/{DATASET}/tables/{{table}}.{{form}}",
            table=tables_of(EXPERIMENTS),
            form=["md", "csv", "tex"],
        ),
        figures=expand(
            f"results/{DATASET}/figures/{{figure}}.{{form}}",
            figure=["recalls", "training", "gallery_time"],
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
        " {params.published} --journals {params.journals} --out {params.out} 2>&1 | tee {log}"


use rule report as report_comparisons with:
    input:
        settings=f"artifacts/{DATASET}/base/settings/report_comparisons.json",
        results=results_of(COMPARISONS),
        speed=rules.speed.output,
        journals=list(journals_of(COMPARISONS).values()),
        published=published(),
    output:
        metrics=f"results/{DATASET}/comparisons/metrics.json",
        tables=expand(
            f"results/{DATASET}/comparisons/tables/{{table}}.{{form}}",
            table=tables_of(COMPARISONS),
            form=["md", "csv", "tex"],
        ),
        figures=expand(
            f"results/{DATASET}/comparisons/figures/{{figure}}.{{form}}",
            figure=["recalls", "training", "gallery_time"],
            form=["svg", "png"],
        ),
    log:
        f"logs/{DATASET}/base/report_comparisons.log",
    benchmark:
        f"logs/{DATASET}/base/report_comparisons.tsv"
    params:
        journals=named(journals_of(COMPARISONS)),
        published=shlex.join(["--published", *published()]) if published() else "",
        out=subpath(output.metrics, parent=True),
