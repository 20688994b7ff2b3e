"""Stages that docs/data-versions.md names are in dvc.yaml."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_the_stages_that_the_page_names_are_there():
    page = (ROOT / "docs" / "data-versions.md").read_text(encoding="utf-8")
    named = set(re.findall(r"dvc repro (?:--?[\w-]+ )*([a-z][\w@-]+)", page))
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    there = {f"{name}@{key}" for name, stage in stages.items() for key in stage.get("foreach", {})} | stages.keys()
    own = {name for name in named if not name.startswith("coco_vinvl-")}
    assert len(own) >= 2 and own <= there
    assert {name.removeprefix("coco_vinvl-").split("@")[0] for name in named - own} <= stages.keys()
