"""Tiny downloads in the layout that the runs of COCO and Flickr30k expect, and the runs' settings shrunk to their size."""

import json

import numpy as np
import PIL.Image
import yaml
from hub_models import save_vilt
from vinvl_files import WORDS, detect, write_captions, write_checkpoint, write_features

VINVL_SPLITS = {"train": 16, "val": 8, "test": 8}
SETTINGS = {
    "train": {
        "steps": 2, "batch_images": 4, "warmup_steps": 1, "checkpoint_steps": 1, "validate_steps": 1, "validate_images": 4,
        "learning_rate": 1e-3,
    },
    "evaluate": {"joint_images": 4, "bootstrap_samples": 100},
    "runtime": {"device": "cpu", "precision": "float32", "processes": 1, "threads": 1},
    "speed": {"pairs": 20, "images": 4, "captions": 8, "repeats": 1, "gallery_sizes": [4]},
}  # fmt: skip


def sentences(generator):
    return [" ".join(generator.choice(WORDS, generator.integers(4, 9))) for _ in range(5)]


def write_vinvl(raw, name, val="val", seed=0):
    """``NAME_ir``, ``model_0060000`` of a data set; features of all splits lie in one file."""
    generator = np.random.default_rng(seed)
    ids = iter(int(number) for number in generator.choice(90_000, sum(VINVL_SPLITS.values()), replace=False) + 1000)
    everything = []
    for split, count in VINVL_SPLITS.items():
        captions = {next(ids): sentences(generator) for _ in range(count)}
        write_captions(raw / f"{name}_ir", captions, val if split == "val" else split)
        everything += captions
    fixed = (raw / f"{name}_ir" / "test_img_keys.tsv").read_text().splitlines()[:4]
    (raw / f"{name}_ir" / "test_img_keys_1k.tsv").write_text("\n".join(fixed) + "\n")
    boxes = (6, 2, 12)
    write_features(raw / "model_0060000", [detect(str(number), boxes[row % 3], seed) for row, number in enumerate(everything)])


def write_karpathy(raw, annotations, folder):
    """Karpathy's file and photographs of different shapes below ``images/``."""
    generator = np.random.default_rng(5)
    rows = []
    for split, count in {"train": 8, "restval": 2, "val": 4, "test": 6}.items():
        for _ in range(count):
            name = f"COCO_{len(rows):012d}.jpg"
            row = {"filename": name, "split": split, "sentences": [{"raw": text} for text in sentences(generator)]}
            rows.append(row | ({"filepath": folder, "cocoid": len(rows)} if folder else {}))
            height, width = generator.integers(40, 120, 2)
            path = raw / "images" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            PIL.Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
    (raw / annotations).write_text(json.dumps({"images": rows}))


def write_sources(folder):
    """Everything that the five runs read, below ``folder``; hub models lie in ``folder/hub``."""
    write_vinvl(folder / "raw" / "coco", "coco", val="minival")
    write_vinvl(folder / "raw" / "flickr30k", "flickr30k", seed=1)
    write_checkpoint(folder / "raw" / "vinvl-base", head="pretraining")
    write_karpathy(folder / "raw" / "coco", "dataset_coco.json", "train2014")
    write_karpathy(folder / "raw" / "flickr30k", "dataset_flickr30k.json", "")
    save_vilt(folder / "hub" / "mlm", "ViltForMaskedLM")
    save_vilt(folder / "hub" / "finetuned")


def shrink(path):
    """A dataset's settings file, for the tiny downloads: what a run does stays, how much of it does not."""
    values = yaml.safe_load(path.read_text())
    pixels = values["dataset"]["source"] in ("karpathy", "joined")
    values["dataset"]["expected_splits"] = None
    values["report"] = values["report"] | {"published_protocols": []}
    sizes = {"layers": 2, "hidden": 48, "heads": 4, "intermediate": 192, "positions": 128}
    if pixels:
        sizes = {"layers": 2, "hidden": 32, "heads": 2, "intermediate": 64, "patch_size": 16, "crop_size": 64}
        values["pretrain"]["checkpoint"] = "hub/mlm"
        values["experiments"]["joint"]["pretrain"]["checkpoint"] = "hub/finetuned"
    values["backbone"] |= sizes
    for section, changes in SETTINGS.items():
        values[section] = values.get(section, {}) | changes
    joint = values["experiments"]["joint"]["train"]
    values["experiments"]["joint"]["train"] = joint | SETTINGS["train"] | ({"steps": 0} if pixels else {})
    path.write_text(yaml.safe_dump(values))
