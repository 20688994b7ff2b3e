"""What models read beside images: word pieces and hard negatives."""


rule vocabulary:
    """Word pieces."""
    input:
        settings=settings("vocabulary"),
        manifest=upstream("prepare/manifest.json"),
        regions=region_words,
    output:
        f"artifacts/{DATASET}/{{home}}/vocabulary/tokenizer.json",
    log:
        f"logs/{DATASET}/{{home}}/vocabulary.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/vocabulary.tsv"
    wildcard_constraints:
        home=one_of(homes_of("vocabulary", imported=False)),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        regions=optional("--features", "regions"),
    shell:
        "vldeformer vocabulary --settings {input.settings:q} --manifest {input.manifest:q} {params.regions:q}"
        " --out {output:q} > {log:q} 2>&1"


rule imported_vocabulary:
    """The word pieces that came with an imported model."""
    input:
        settings=settings("import-vocabulary"),
        model=upstream("pretrain/model"),
    output:
        f"artifacts/{DATASET}/{{home}}/vocabulary/tokenizer.json",
    log:
        f"logs/{DATASET}/{{home}}/vocabulary.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/vocabulary.tsv"
    wildcard_constraints:
        home=one_of(homes_of("vocabulary", imported=True)),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=growing(500),
        runtime=10,
    shell:
        "vldeformer import-vocabulary {input.model:q} --out {output:q} > {log:q} 2>&1"


rule negatives:
    """Composed hard negatives of the training images."""
    input:
        settings=settings("negatives"),
        manifest=upstream("prepare/manifest.json"),
        visual=visual,
    output:
        texts=f"artifacts/{DATASET}/{{home}}/negatives/text.parquet",
        images=f"artifacts/{DATASET}/{{home}}/negatives/image.parquet",
        summary=f"artifacts/{DATASET}/{{home}}/negatives/summary.json",
    log:
        f"logs/{DATASET}/{{home}}/negatives.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/negatives.tsv"
    # Before trainings take the cores one by one: all of them are not free again for long.
    priority: 2
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=growing(2000),
        runtime=30,
    params:
        out=subpath(output.summary, parent=True),
    shell:
        "vldeformer negatives --settings {input.settings:q} --manifest {input.manifest:q} --features {input.visual:q}"
        " --out {params.out:q} > {log:q} 2>&1"
