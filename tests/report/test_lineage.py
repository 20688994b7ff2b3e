"""Stages behind several models. What one chain says is tested with `vldeformer provenance`."""

import json

import pytest
from page_world import RECORD

from vldeformer.errors import InputError
from vldeformer.report.lineage import trace


def test_stages_are_followed_from_the_last_to_the_first(tmp_path):
    for name, before in (("prepare", None), ("train", "prepare/manifest.json"), ("embed", "train/model")):
        (tmp_path / name).mkdir()
        inputs = {"before": {"path": str(tmp_path / before), "sha256": "ab"}} if before else {}
        (tmp_path / name / "provenance.json").write_text(json.dumps(RECORD | {"inputs": inputs}))
    found = trace({"mine": tmp_path / "embed", "other": tmp_path / "train", "lost": tmp_path / "nowhere"})
    assert [stage.folder.name for stage in found.behind["mine"]] == ["prepare", "train", "embed"]
    assert len(found.behind["other"]) == 2 and found.behind["lost"] == () and len(found.stages) == 3
    (tmp_path / "train" / "provenance.json").write_text('{"inputs": [3]}')
    with pytest.raises(InputError, match=r"train/provenance\.json"):
        trace({"mine": tmp_path / "embed"})
