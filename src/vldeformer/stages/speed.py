"""Stages `speed` and `pair-time`: time of joint and decomposed retrieval of the test split on this machine."""

import time
from pathlib import Path

from vldeformer.artifact import check_file, record_path, write_json
from vldeformer.data.manifest import Manifest
from vldeformer.evaluation.speed import measure_pair_time, measure_speed
from vldeformer.evaluation.timing import SpeedSettings
from vldeformer.models.importing import files_of
from vldeformer.runtime import RuntimeSettings, prepare_torch
from vldeformer.stages.open_inputs import open_encoder, open_matcher
from vldeformer.stages.provenance import provenance
from vldeformer.stages.sections import read_section


def speed(settings: Path, joint: Path, dual: Path, manifest: Path, visual: Path, out: Path) -> None:
    """Write speed.json and its record; no other stage but the report depends on it."""
    started = time.monotonic()
    check_file(out)
    section = read_section(settings, "speed", SpeedSettings)
    runtime = read_section(settings, "runtime", RuntimeSettings)
    device = prepare_torch(runtime)
    matcher, joint_readers = open_matcher(joint, visual)
    encoder, dual_readers = open_encoder(dual, visual)
    measured = measure_speed(
        matcher.to(device),
        encoder.to(device),
        Manifest.load(manifest).split("test"),
        (joint_readers.text, joint_readers.visual),
        (dual_readers.text, dual_readers.visual),
        section,
        runtime,
    )
    write_json(out, measured)
    values = {"speed": section.model_dump(mode="json"), "runtime": runtime.model_dump(mode="json")}
    inputs = {"joint": files_of(joint), "dual": files_of(dual), "manifest": manifest, "visual": visual}
    write_json(record_path(out), provenance(values, inputs, started))


def pair_time(settings: Path, model: Path, manifest: Path, visual: Path, out: Path) -> None:
    """Write pair_time.json and its record: what a joint matcher costs at its depth; only the report depends on it."""
    started = time.monotonic()
    check_file(out)
    section = read_section(settings, "speed", SpeedSettings)
    runtime = read_section(settings, "runtime", RuntimeSettings)
    device = prepare_torch(runtime)
    matcher, readers = open_matcher(model, visual)
    test = Manifest.load(manifest).split("test")
    write_json(out, measure_pair_time(matcher.to(device), test, readers.text, readers.visual, section, runtime))
    values = {"speed": section.model_dump(mode="json"), "runtime": runtime.model_dump(mode="json")}
    inputs = {"model": files_of(model), "manifest": manifest, "visual": visual}
    write_json(record_path(out), provenance(values, inputs, started))
