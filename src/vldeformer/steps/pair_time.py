"""Step `pair-time`: what a joint matcher costs at its depth."""

from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import Features, JointModel, ManifestFile, OutFile, SettingsFile

VERSION = 1


def pair_time(
    *,
    settings: SettingsFile,
    model: JointModel,
    manifest: ManifestFile,
    features: Features,
    out: Annotated[OutFile, Parameter(help="JSON to write")],
) -> None:
    """Measure the time of a joint model's layers per item and per pair (ms), test split."""
    import time

    from vldeformer.artifact import check_file, write_json
    from vldeformer.data.manifest import Manifest
    from vldeformer.evaluation.speed import measure_pair_time
    from vldeformer.evaluation.timing import SpeedSettings
    from vldeformer.models.importing import files_of
    from vldeformer.provenance import provenance
    from vldeformer.retrieval.reader import open_matcher
    from vldeformer.runtime import RuntimeSettings, prepare_torch
    from vldeformer.steps.settings_file import read_section
    from vldeformer.stored_digests import record_path

    started = time.monotonic()
    check_file(out)
    section = read_section(settings, "speed", SpeedSettings, VERSION)
    runtime = read_section(settings, "runtime", RuntimeSettings, VERSION)
    prepare_torch(runtime)
    matcher, reader = open_matcher(model, features, runtime)
    test = Manifest.load(manifest).split("test")
    write_json(out, measure_pair_time(matcher, test, reader, section), seal_it=True)
    values = {"speed": section.model_dump(mode="json"), "runtime": runtime.model_dump(mode="json")}
    inputs = {"model": files_of(model), "manifest": manifest, "features": features}
    write_json(record_path(out), provenance(values, inputs, started))
