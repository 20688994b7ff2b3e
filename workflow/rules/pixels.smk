"""Photographs and the built-in world: raw files → manifest, pixels, regions."""

if BUILT_IN:

    rule fetch:
        """The scenes and captions of the built-in world, from its seed.

        The settings that made them are kept with them, without `"version": 1`, as in the raw data that were committed first.
        """
        input:
            settings=world_settings,
        output:
            scenes=RAW[0],
            settings=literal(f"{RAW_DIR}/settings.json"),
        log:
            f"logs/{DATASET}/base/fetch.log",
        benchmark:
            f"logs/{DATASET}/base/fetch.tsv"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(1000),
            runtime=10,
        shell:
            "(vldeformer fetch scenes --settings {input.settings:q} --out {output.scenes:q}"
            " && grep -vx ' \"version\": 1,' {input.settings:q} > {output.settings:q}) > {log:q} 2>&1"


rule prepare:
    """Manifest and pixels."""
    input:
        settings=settings("prepare"),
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
        mem_mb=growing(1000),
        runtime=30,
    params:
        raw_dir=lambda wildcards: RAW_DIR,
        out=subpath(output.manifest, parent=True),
    shell:
        "vldeformer prepare --settings {input.settings:q} --raw-dir {params.raw_dir:q} --out {params.out:q} > {log:q} 2>&1"


rule features:
    """Regions, tags and features, by a detector fitted on the pre-training images."""
    input:
        settings=settings("features"),
        raw=RAW,
        pixels=upstream("prepare/pixels"),
    output:
        store=directory(f"artifacts/{DATASET}/{{home}}/features/store"),
        extractor=f"artifacts/{DATASET}/{{home}}/features/extractor.npz",
    log:
        f"logs/{DATASET}/{{home}}/features.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/features.tsv"
    wildcard_constraints:
        home=one_of(homes_of_regions(photographs=False)),
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=growing(2000),
        runtime=60,
    params:
        raw_dir=lambda wildcards: RAW_DIR,
        prepared=subpath(input.pixels, parent=True),
        out=subpath(output.extractor, parent=True),
    shell:
        "vldeformer features --settings {input.settings:q} --raw-dir {params.raw_dir:q} --prepared {params.prepared:q}"
        " --out {params.out:q} > {log:q} 2>&1"


rule photograph_features:
    """Regions, tags and features of photographs, by a trained network. A killed run goes on where it was."""
    input:
        settings=settings("features"),
        manifest=upstream("prepare/manifest.json"),
        pixels=upstream("prepare/pixels"),
    output:
        store=directory(f"artifacts/{DATASET}/{{home}}/features/store"),
        extractor=f"artifacts/{DATASET}/{{home}}/features/extractor.safetensors",
    log:
        f"logs/{DATASET}/{{home}}/features.log",
    benchmark:
        f"logs/{DATASET}/{{home}}/features.tsv"
    wildcard_constraints:
        home=one_of(homes_of_regions(photographs=True)),
    conda:
        "../../environment.yml"
    threads: ALL_CORES
    resources:
        mem_mb=growing(3000),
        runtime=240,
    params:
        prepared=subpath(input.manifest, parent=True),
        out=subpath(output.extractor, parent=True),
    shell:
        "vldeformer features --settings {input.settings:q} --prepared {params.prepared:q} --out {params.out:q} > {log:q} 2>&1"
