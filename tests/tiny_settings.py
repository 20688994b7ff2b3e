"""Settings of a tiny world: every section that a stage may read."""

BACKBONE = {
    "kind": "oscar", "layers": 2, "hidden": 32, "heads": 2, "intermediate": 64, "dropout": 0.1, "norm_eps": 1e-12,
    "positions": None, "caption_tokens": 24, "tag_tokens": 12, "joint_tokens": None, "regions": 6, "region_norm": True,
    "region_norm_eps": 1e-12, "patch_size": 16, "crop_size": 48, "keep_aspect": False, "text_model": None,
}  # fmt: skip
OPTIMIZER = {
    "seed": 3, "steps": 10, "batch_images": 8, "learning_rate": 1e-3, "warmup_steps": 2, "weight_decay": 0.01, "clip_norm": 1.0,
    "checkpoint_steps": 2,
}  # fmt: skip
SECTIONS = {
    "dataset": {
        "source": "scenes", "name": "tiny", "raw_dir": "raw",
        "world": {"pretrain_images": 24, "train_images": 16, "val_images": 8, "test_images": 10, "image_size": 64, "seed": 5},
    },
    "regions": {"pca_components": 4, "crop_size": 12, "max_regions": 6, "fit_images": 24, "dtype": "float16", "seed": 0},
    "vocabulary": {"size": 300},
    "backbone": BACKBONE,
    "negatives": {
        "seed": 2, "images": None, "variants": 2, "text_kinds": {"noun": 1, "attribute": 1, "relation": 1, "swap": 1},
        "word_ratio": 0.3, "word_number": None, "replacements": "corpus", "image_partner": "random",
        "image_ratio": 0.5,
    },
    "pretrain": OPTIMIZER | {"checkpoint": None, "split": "pretrain", "mask_ratio": 0.3, "contrastive_weight": 0.0, "steps": 3},
    "train": OPTIMIZER | {
        "kind": "dual", "start": "scratch", "start_share": 1.0,
        "images": None, "validate_steps": 2, "validate_images": 6, "pooling": "mean",
        "pooling_dropout": 0.1, "temperature": 0.1, "hard_negatives": "none", "negatives_scope": "batch", "joint_negatives": 1,
        "steps": 4, "patience": None, "shared_weights": True, "loss": "infonce", "learn_temperature": False, "margin": 1.0,
        "mine_epochs": 1, "mine_depth": 2, "mine_limit": None, "distillation_weight": 0.0, "distillation_temperature": 1.0,
        "distillation_candidates": 2, "chunk_images": None, "joint_layers": None,
    },
    "evaluate": {"joint_images": 6, "bootstrap_samples": 100, "confidence": 0.95, "seed": 0},
    "compositional": {"items": 6, "seed": 0},
    "rerank": {"depth": 3, "depths": [1, 2, 30], "dual_weight": 0.0},
    "speed": {"pairs": 20, "images": 4, "captions": 6, "repeats": 1, "warmup": 0, "gallery_sizes": [5, 20]},
    "runtime": {"device": "cpu", "threads": 1, "precision": "float32", "processes": 1},
}  # fmt: skip


def sections(**changes):
    """All sections of the tiny world, with differences: ``sections(train={"steps": 1})``."""
    return {name: values | changes.get(name, {}) for name, values in SECTIONS.items()}
