"""Settings of a tiny world: every section that a step may read, and the same for each kind of backbone and of training."""

from typing import Any

from pydantic import TypeAdapter

from vldeformer.models.any_settings import AnyBackbone, AnyBackboneSettings
from vldeformer.planning.config import Settings
from vldeformer.planning.layers import merge_layers
from vldeformer.training.settings import AnyTraining, TrainSettings

TRANSFORMER = {
    "layers": 2, "hidden": 32, "heads": 2, "intermediate": 64, "dropout": 0.1, "positions": None, "caption_tokens": 24,
}  # fmt: skip
BACKBONES: dict[str, dict[str, Any]] = {
    "oscar": TRANSFORMER | {"regions": 6, "tag_tokens": 12, "joint_tokens": None, "text_model": None},
    "visualbert": TRANSFORMER | {"regions": 6},
    "vilt": TRANSFORMER | {"patch_size": 16, "crop_size": 48, "keep_aspect": False, "text_model": None},
    "linear": {"hidden": 32, "dropout": 0.1, "caption_tokens": 24, "regions": 6},
}
OPTIMIZER = {
    "seed": 3, "steps": 10, "batch_images": 8, "learning_rate": 1e-3, "warmup_steps": 2, "weight_decay": 0.01,
    "checkpoint_steps": 2,
}  # fmt: skip
RETRIEVAL = OPTIMIZER | {
    "start": "scratch",
    "images": None,
    "validate_steps": 2,
    "validate_images": 6,
    "patience": None,
    "steps": 4,
}
TRAININGS: dict[str, dict[str, Any]] = {
    "oracle": {},
    "lexical": {},
    "joint": RETRIEVAL | {"joint_negatives": 1, "joint_layers": None},
    "dual": RETRIEVAL | {
        "pooling": "mean", "pooling_dropout": 0.1, "shared_weights": True,
        "loss": {"kind": "infonce", "temperature": 0.1, "learn_temperature": False}, "hard_negatives": {"kind": "none"},
        "distillation": None, "chunk_images": None,
    },
}  # fmt: skip
COMPOSED = {"kind": "both", "scope": "batch"}
"""Hard negatives of ``train``: composed captions and images."""
SECTIONS: dict[str, dict[str, Any]] = {
    "dataset": {
        "source": "scenes", "name": "tiny", "raw_dir": "raw",
        "world": {"pretrain_images": 24, "train_images": 16, "val_images": 8, "test_images": 10, "image_size": 64, "seed": 5},
    },
    "regions": {"pca_components": 4, "max_regions": 6, "dtype": "float16", "seed": 0},
    "vocabulary": {"size": 300},
    "backbone": {"kind": "oscar"} | BACKBONES["oscar"],
    "negatives": {
        "seed": 2, "images": None, "variants": 2, "text_kinds": {"noun": 1, "attribute": 1, "relation": 1, "swap": 1},
        "word_ratio": 0.3, "replacements": "corpus", "image_partner": "random", "image_ratio": 0.5,
    },
    "pretrain": OPTIMIZER | {"checkpoint": None, "split": "pretrain", "contrastive_weight": 0.0, "steps": 3},
    "train": {"kind": "dual"} | TRAININGS["dual"],
    "evaluate": {"joint_images": 6, "bootstrap_samples": 100, "seed": 0},
    "compositional": {"items": 6, "seed": 0},
    "rerank": {"depth": 3, "depths": [1, 2, 30], "dual_weight": 0.0},
    "speed": {"pairs": 20, "images": 4, "captions": 6, "repeats": 1, "gallery_sizes": [5, 20]},
    "runtime": {"device": "cpu", "threads": 1, "precision": "float32", "processes": 1},
}  # fmt: skip


def sections(**changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All sections of the tiny world, with differences as in settings files: ``sections(train={"kind": "joint", "steps": 1})``.

    Another ``kind`` of backbone or training brings its own keys.
    """
    kinds = {
        name: all_kinds.get(changes[name]["kind"], {})
        for name, all_kinds in (("backbone", BACKBONES), ("train", TRAININGS))
        if changes.get(name, {}).get("kind", SECTIONS[name]["kind"]) != SECTIONS[name]["kind"]
    }
    whole = {name: kinds.get(name, {}) | values for name, values in changes.items()}
    # In `negatives` a mapping is a value: its keys are not merged.
    made = merge_layers([("tiny", SECTIONS), ("changes", whole)], Settings)
    return made | {"negatives": SECTIONS["negatives"] | changes.get("negatives", {})}


def backbone(kind: str = "oscar", **changes: Any) -> AnyBackbone:
    """A tiny backbone's settings."""
    return TypeAdapter[AnyBackbone](AnyBackboneSettings).validate_python({"kind": kind} | BACKBONES[kind] | changes)


def training(**changes: Any) -> Any:
    """Settings of a tiny training; ``kind``: dual or joint."""
    return TypeAdapter[AnyTraining](TrainSettings).validate_python(sections(train=changes)["train"])
