"""A tiny world made once by the project's own stages, and tiny backbones that read it."""

import json
from types import SimpleNamespace

import pytest

BACKBONE = {
    "kind": "oscar", "layers": 2, "hidden": 32, "heads": 2, "intermediate": 64, "dropout": 0.1, "caption_tokens": 24,
    "tag_tokens": 12, "regions": 6, "patch_size": 16, "crop_size": 48, "text_model": None,
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
    "negatives": {"seed": 2, "variants": 2, "word_ratio": 0.3, "attributes": True, "image_ratio": 0.5},
    "pretrain": OPTIMIZER | {"split": "pretrain", "mask_ratio": 0.3, "steps": 3},
    "train": OPTIMIZER | {
        "kind": "dual", "start": "scratch", "images": None, "validate_steps": 2, "validate_images": 6, "pooling": "mean",
        "pooling_dropout": 0.1, "temperature": 0.1, "hard_negatives": "none", "negatives_scope": "batch", "joint_negatives": 1,
        "steps": 4,
    },
    "evaluate": {"joint_images": 6, "bootstrap_samples": 50, "confidence": 0.95, "seed": 0},
    "speed": {"pairs": 20, "images": 4, "captions": 6, "repeats": 1, "warmup": 0, "gallery_sizes": [5, 20]},
    "runtime": {"device": "cpu", "threads": 1, "precision": "float32", "processes": 1},
}  # fmt: skip


def sections(**changes):
    """All sections of the tiny world, with differences: ``sections(train={"steps": 1})``."""
    return {name: values | changes.get(name, {}) for name, values in SECTIONS.items()}


@pytest.fixture(scope="session")
def write_settings(tmp_path_factory):
    """Differences → a settings file with every section."""

    def write(**changes):
        path = tmp_path_factory.mktemp("settings") / "settings.json"
        path.write_text(json.dumps(sections(**changes)))
        return path

    return write


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, write_settings):
    """Folders of the tiny world: raw, prepare, features, and the word pieces. Nothing may write into them."""
    from vldeformer.stages.features import features
    from vldeformer.stages.fetch import fetch
    from vldeformer.stages.prepare import prepare
    from vldeformer.stages.vocabulary import vocabulary

    root, settings = tmp_path_factory.mktemp("tiny"), write_settings()
    fetch(settings, root / "raw" / "scenes.jsonl")
    prepare(settings, root / "raw", root / "prepare")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vldeformer.stages.features.cpu_count", lambda: 1)
        features(settings, root / "raw", root / "prepare", root / "features")
    vocabulary(settings, root / "prepare" / "manifest.json", root / "features", root / "tokenizer.json")
    return SimpleNamespace(
        raw=root / "raw",
        prepare=root / "prepare",
        manifest=root / "prepare" / "manifest.json",
        pixels=root / "prepare" / "pixels",
        features=root / "features",
        regions=root / "features" / "store",
        tokenizer=root / "tokenizer.json",
    )


@pytest.fixture(scope="session")
def manifest(tiny):
    from vldeformer.data.manifest import Manifest

    return Manifest.load(tiny.manifest)


@pytest.fixture(scope="session")
def pixel_store(tiny):
    from vldeformer.data.pixels import PixelStore

    return PixelStore(tiny.pixels)


@pytest.fixture(scope="session")
def region_store(tiny):
    from vldeformer.data.regions import RegionStore

    return RegionStore(tiny.regions)


@pytest.fixture(scope="session")
def words(tiny):
    from vldeformer.inputs.tokens import WordPieces

    return WordPieces.load(tiny.tokenizer)


@pytest.fixture(scope="session")
def readers(tiny, words):
    """``readers("oscar")``: how captions and images are read for a backbone of this kind."""
    from vldeformer.models.settings import BackboneSettings
    from vldeformer.stages.opened import open_readers

    def opened(kind, full=False):
        settings = BackboneSettings(**BACKBONE | {"kind": kind})
        return open_readers(settings, words, tiny.regions if kind == "oscar" else tiny.pixels, full)

    return opened


@pytest.fixture(scope="session")
def make_backbone(words, region_store):
    """``make_backbone("oscar")``: a new one in eval mode, with weights so large that nothing is lost in rounding."""
    import torch

    from vldeformer.models.settings import BackboneSettings
    from vldeformer.models.weights import build_backbone

    def make(kind, **changes):
        settings = BackboneSettings(**BACKBONE | {"kind": kind} | changes)
        torch.manual_seed(11)
        backbone = build_backbone(settings, len(words), region_store.feature_width + 6)
        with torch.no_grad():
            for parameter in backbone.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(std=0.2)
        return backbone.eval()

    return make


@pytest.fixture(scope="session")
def runtime():
    from vldeformer.runtime import RuntimeSettings

    return RuntimeSettings(**SECTIONS["runtime"])
