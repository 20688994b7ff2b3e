"""Step `speed`: time of joint and decomposed retrieval of the test split on this machine."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import Features, JointModel, ManifestFile, OutFile, SettingsFile

VERSION = 2


def speed(
    *,
    settings: SettingsFile,
    joint: JointModel,
    dual: Annotated[Path, Parameter(help="decomposed model folder")],
    manifest: ManifestFile,
    features: Features,
    out: Annotated[OutFile, Parameter(help="speed.json to write")],
) -> None:
    """Measure the time of joint and decomposed retrieval on this machine (ms, s)."""
    import time

    from vldeformer.artifact import check_file, write_json
    from vldeformer.data.manifest import Manifest
    from vldeformer.evaluation.speed import measure_speed
    from vldeformer.evaluation.timing import SpeedSettings
    from vldeformer.models.importing import files_of
    from vldeformer.provenance import provenance
    from vldeformer.retrieval.reader import open_encoder, open_matcher
    from vldeformer.runtime import RuntimeSettings, prepare_torch
    from vldeformer.steps.settings_file import read_section
    from vldeformer.stored_digests import record_path

    started = time.monotonic()
    check_file(out)
    section = read_section(settings, "speed", SpeedSettings, VERSION)
    runtime = read_section(settings, "runtime", RuntimeSettings, VERSION)
    prepare_torch(runtime)
    matcher, joint_reader = open_matcher(joint, features, runtime)
    encoder, dual_reader = open_encoder(dual, features, runtime)
    test = Manifest.load(manifest).split("test")
    write_json(out, measure_speed(matcher, encoder, test, joint_reader, dual_reader, section), seal_it=True)
    values = {"speed": section.model_dump(mode="json"), "runtime": runtime.model_dump(mode="json")}
    inputs = {"joint": files_of(joint), "dual": files_of(dual), "manifest": manifest, "features": features}
    write_json(record_path(out), provenance(values, inputs, started))
