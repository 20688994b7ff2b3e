"""What a stage writes about where its output came from."""

import json
import time
from pathlib import Path

import numpy as np
import psutil

from vldeformer.artifact import read_json
from vldeformer.content_digest import digest
from vldeformer.provenance import provenance
from vldeformer.steps.vocabulary import vocabulary
from vldeformer.stored_digests import record_path


def test_a_record_names_inputs_by_content_and_the_machine(tmp_path):
    (tmp_path / "in").write_text("x")
    record = provenance({"a": 1}, {"data": tmp_path / "in"}, time.monotonic() - 2)
    assert record["inputs"]["data"]["sha256"] == digest(tmp_path / "in") and record["settings"] == {"a": 1}
    assert 2 <= record["wall_seconds"] < 60 and record["packages"]["numpy"] == np.__version__
    machine = record["machine"]
    assert machine["processor"] and machine["memory_mib"] == psutil.virtual_memory().total // 2**20
    assert isinstance(machine["gpus"], list) and len(record["code"]["sha256"]) == 64
    json.dumps(record)


def test_the_vocabulary_leaves_a_record_beside_its_file(tiny, write_settings, tmp_path):
    vocabulary(settings=write_settings(), manifest=tiny.manifest, features=tiny.regions, out=tmp_path / "tokenizer.json")
    record = read_json(tmp_path / "tokenizer.provenance.json")
    assert record_path(tmp_path / "tokenizer.json") == tmp_path / "tokenizer.provenance.json"
    inputs = {name: (Path(item["path"]), item["sha256"]) for name, item in record["inputs"].items()}
    assert inputs == {name: (path, digest(path)) for name, path in (("manifest", tiny.manifest), ("features", tiny.regions))}
    assert (tmp_path / "tokenizer.json").read_bytes() == tiny.tokenizer.read_bytes()
