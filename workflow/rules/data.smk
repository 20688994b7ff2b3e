"""Raw files → manifest, pixels, regions, vocabulary, hard negatives."""

if BUILT_IN:

    rule fetch:
        """The scenes and captions of the built-in world, from its seed."""
        input:
            settings=world_settings,
        output:
            scenes=RAW,
            settings=f"{RAW_DIR}/settings.json",
        log:
            f"logs/{DATASET}/base/fetch.log",
        benchmark:
            f"logs/{DATASET}/base/fetch.tsv"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=1000,
            runtime=10,
        shell:
            "(vldeformer fetch --settings {input.settings} --out {output.scenes}"
            " && cp {input.settings} {output.settings}) 2>&1 | tee {log}"


rule prepare:
    """Manifest and pixels."""
    input:
        settings=settings_file("prepare"),
        raw=RAW,
    output:
        manifest=f"artifacts/{DATASET}/{{home}}/prepare/manifest.json",
        pixels=directory(f"artifacts/{DATASET}/{{home}}/prepare/pixels"),
    log:
        f"logs/{DATASET}/{{home}}/prepare.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/prepare.tsv"
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        raw_dir=lambda wildcards: RAW_DIR,
        out=subpath(output.manifest, parent=True),
    shell:
        "vldeformer prepare --settings {input.settings} --raw-dir {params.raw_dir} --out {params.out} 2>&1 | tee {log}"


rule features:
    """Regions, tags and features, by a detector fitted on the pre-training images."""
    input:
        settings=settings_file("features"),
        raw=RAW,
        pixels=upstream("prepare/pixels"),
    output:
        store=directory(f"artifacts/{DATASET}/{{home}}/features/store"),
        extractor=f"artifacts/{DATASET}/{{home}}/features/extractor.npz",
    log:
        f"logs/{DATASET}/{{home}}/features.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/features.tsv"
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        raw_dir=lambda wildcards: RAW_DIR,
        prepared=subpath(input.pixels, parent=True),
        out=subpath(output.extractor, parent=True),
    shell:
        "vldeformer features --settings {input.settings} --raw-dir {params.raw_dir} --prepared {params.prepared}"
        " --out {params.out} 2>&1 | tee {log}"


rule vocabulary:
    """Word pieces."""
    input:
        settings=settings_file("vocabulary"),
        manifest=upstream("prepare/manifest.json"),
        regions=region_words,
    output:
        f"artifacts/{DATASET}/{{home}}/vocabulary/tokenizer.json",
    log:
        f"logs/{DATASET}/{{home}}/vocabulary.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/vocabulary.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        features=lambda wildcards, input: f"--features {input.regions}" if input.regions else "",
    shell:
        "vldeformer vocabulary --settings {input.settings} --manifest {input.manifest} {params.features}"
        " --out {output} 2>&1 | tee {log}"


rule negatives:
    """Composed hard negatives of the training images."""
    input:
        settings=settings_file("negatives"),
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
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        out=subpath(output.summary, parent=True),
    shell:
        "vldeformer negatives --settings {input.settings} --manifest {input.manifest} --features {input.visual}"
        " --out {params.out} 2>&1 | tee {log}"
