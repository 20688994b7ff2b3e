"""What docs/data-versions.md says of DVC's stages is what dvc.yaml says."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_the_code_that_a_stage_depends_on_is_as_the_page_says():
    said = {}
    for stages, folders in re.findall(r"^\| (`.*`) \| (`.*`) \|$", (ROOT / "docs" / "data-versions.md").read_text(), re.M):
        said |= {stage: set(re.findall(r"`(\w+)`", folders)) for stage in re.findall(r"`([\w-]+)`", stages)}
    written = {}
    for stage, value in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items():
        code = [Path(path) for path in value.get("do", value)["deps"] if path.startswith("src/vldeformer/")]
        written[stage] = {path.name for path in code if not path.suffix}
    assert said == {stage: folders for stage, folders in written.items() if folders}
