"""Names of folders with spaces, quotes and brackets: a run of photographs ends in its tables, by both engines."""

import csv
import json
import random
import sys

import PIL.Image
import pytest
import yaml
from workflow_projects import copy_of_workflow

pytestmark = pytest.mark.pipeline

RAW = "raw/my photos (1)"
TRAIN = {"steps": 2, "batch_images": 4, "warmup_steps": 1, "validate_steps": 1, "validate_images": 2}
SETTINGS = {
    "dataset": {
        "source": "folder", "name": "mine", "raw_dir": RAW, "captions": "captions.csv", "images": "photos",
        "photographs": "squares", "image_size": 32, "captions_per_image": None, "split": None,
    },
    "vocabulary": {"size": 100},
    "backbone": {
        "kind": "vilt", "layers": 1, "hidden": 16, "heads": 2, "intermediate": 32, "patch_size": 16, "crop_size": 32,
        "caption_tokens": 12,
    },
    "pretrain": {"split": "train", "steps": 2, "batch_images": 4, "warmup_steps": 1, "contrastive_weight": 1.0},
    "train": TRAIN,
    "evaluate": {"joint_images": 2, "bootstrap_samples": 100},
    "speed": {"pairs": 4, "images": 2, "captions": 4, "repeats": 1, "gallery_sizes": [4]},
    "rerank": {"depths": [1, 2], "depth": 2},
    "experiments": {"joint": {"train": TRAIN}},
}  # fmt: skip


@pytest.fixture
def odd_project(tmp_path):
    """A project in a folder with a quote, a space and an umlaut; its photographs are in one with a space and brackets."""
    made = copy_of_workflow(tmp_path / "Möbius' strip")
    draw, photos = random.Random(0), made.folder / RAW / "photos"
    photos.mkdir(parents=True)
    with (made.folder / RAW / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "caption", "split"])
        for number, split in enumerate(["train"] * 8 + ["val"] * 2 + ["test"] * 3):
            colour = draw.choice(["red", "green", "blue"])
            PIL.Image.new("RGB", (40, 48), colour).save(photos / f"{number} ü.jpg")
            rows.writerows(
                [[f"{number} ü.jpg", f"a {colour} ground", split], [f"{number} ü.jpg", f"{colour}, number {number}", split]]
            )
    (made.folder / "config" / "datasets" / "mine.yaml").write_text(yaml.safe_dump(SETTINGS))
    run = {"dataset": "mine", "experiments": {"all": ["joint", "decomposed"], "ablations": []}}
    (made.folder / "config" / "mine.yaml").write_text(yaml.safe_dump(run))
    return made


def test_a_run_ends_in_its_tables(odd_project):
    odd_project.snakemake("--cores", "2", "all", config="mine")
    results = odd_project.folder / "results" / "mine"
    recalls = json.loads((results / "report.json").read_text())["recalls"]
    assert {one["experiment"] for one in recalls} == {"joint", "decomposed", "reranked"}
    assert "Nothing to be done" in odd_project.snakemake("-n", "all", config="mine")
    odd_project.run(sys.executable, "workflow/dvc_stages.py", "mine")
    odd_project.run("dvc", "init", "-q", "--no-scm")
    odd_project.run("dvc", "repro", "-q", "--force", "--single-item", "prepare")
    assert (odd_project.folder / "artifacts/mine/base/prepare/manifest.json").is_file()
