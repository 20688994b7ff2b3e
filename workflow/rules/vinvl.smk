"""VinVL downloads: captions → manifest; the detector's features and tags → region store."""


rule prepare:
    """Manifest."""
    input:
        settings=settings("prepare"),
        raw=RAW,
    output:
        manifest=f"artifacts/{DATASET}/{{home}}/prepare/manifest.json",
    log:
        f"logs/{DATASET}/{{home}}/prepare.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/prepare.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=30,
    params:
        raw_dir=lambda wildcards: RAW_DIR,
        out=subpath(output.manifest, parent=True),
    shell:
        "vldeformer prepare --settings {input.settings:q} --raw-dir {params.raw_dir:q} --out {params.out:q} > {log:q} 2>&1"


rule import_features:
    """Features and tags of one data set. A killed import goes on where it was."""
    input:
        settings=settings("import-features"),
        features=downloaded("features.tsv"),
        predictions=downloaded("predictions.tsv"),
        rows=downloaded("imageid2idx.json"),
    output:
        directory(f"artifacts/{DATASET}/{{home}}/features/{{part}}"),
    log:
        f"logs/{DATASET}/{{home}}/features-{{part}}.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/features-{{part}}.tsv"
    wildcard_constraints:
        part=one_of(REGION_STORES),
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=growing(4000),
        runtime=240,
    params:
        download=subpath(input.features, parent=True),
        dtype=lambda wildcards: settings_of(wildcards.home).regions.dtype,
    shell:
        "vldeformer import-features {params.download:q} --out {output:q} --dtype {params.dtype:q} > {log:q} 2>&1"


if len(PARTS) > 1:

    rule features:
        """One store of all downloads; the features stay where they are."""
        input:
            settings=settings("join-features"),
            stores=[f"artifacts/{DATASET}/{{home}}/features/{part}" for part in REGION_STORES],
        output:
            directory(f"artifacts/{DATASET}/{{home}}/features/store"),
        log:
            f"logs/{DATASET}/{{home}}/features.log",
        benchmark:
            f"logs/{DATASET}/{{home}}/features.tsv"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(4000),
            runtime=10,
        shell:
            "vldeformer join-features {input.stores:q} --out {output:q} > {log:q} 2>&1"
