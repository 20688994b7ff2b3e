"""docs/your-own-data.md is true: its pictures, settings, commands and Python go together."""

import json
import re
import textwrap
from pathlib import Path

import yaml

from vldeformer.cli import main
from vldeformer.data.manifest import Manifest
from vldeformer.data.photographs import PhotographStore
from vldeformer.data.pixels import PixelStore
from vldeformer.datasets.caption_table import read_caption_lines
from vldeformer.planning.plan import load_plan
from vldeformer.planning.step_sections import section_values

PAGE = (Path(__file__).parents[1] / "docs" / "your-own-data.md").read_text(encoding="utf-8")
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.M)]


def block(words):
    """The one block of the page that has these words."""
    (found,) = [text for text in BLOCKS if words in text]
    return found


def test_the_page(tmp_path, config, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(block("random.Random(0)"), "docs/your-own-data.md", "exec"), {})
    (config / "datasets" / "shapes.yaml").write_text(block("source: folder"))
    plan = load_plan(config, yaml.safe_load(block("ablations: []")))
    Path("workflow.json").write_text(json.dumps(section_values(plan.base, ["dataset"])))
    assert main(["prepare", "--settings", "workflow.json", "--raw-dir", plan.base.dataset.raw_dir, "--out", "squares"]) == 0
    (settings,) = re.findall(r"\{\"dataset\".*?\}\}\}", block('{"dataset"'), re.S)
    Path("settings.json").write_text(settings)
    (prepare,) = re.findall(r"vldeformer (prepare .*)", PAGE)
    assert main(prepare.split()) == 0

    manifest = Manifest.load(Path("prepared/manifest.json"))
    assert manifest == Manifest.load(Path("squares/manifest.json"))
    assert (
        len(manifest.images) == 240 and 240 < len(manifest.captions) < 720 and manifest.splits.keys() == {"train", "val", "test"}
    )
    assert PixelStore(Path("squares/pixels")).size == (96, 96)
    assert PhotographStore(Path("prepared/pixels")).ids == [image.id for image in manifest.images]


def test_both_layouts_of_captions_are_read(tmp_path):
    (tmp_path / "captions.csv").write_text(block("image,caption\n"))
    (tmp_path / "captions.jsonl").write_text(block('{"image": "more/001.png", "caption"'))
    table, lines = ([*read_caption_lines(tmp_path / f"captions.{end}", False)] for end in ("csv", "jsonl"))
    assert [(line.image, line.captions) for line in table] == [
        ("000.jpg", ("a yellow square on a white ground",)), ("000.jpg", ("square, yellow",)),
        ("more/001.png", ("a blue square on a grey ground",)),
    ]  # fmt: skip
    assert [line.captions for line in lines] == [table[0].captions + table[1].captions, table[2].captions]
