"""What `training_step.py` trains: the `scenes` experiment `decomposed` of a finished run, and a model of VinVL's width."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vldeformer.data.joined import open_region_store
from vldeformer.data.karpathy import read_karpathy
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Regions, RegionSource
from vldeformer.inputs.collate import RegionReader, TextReader
from vldeformer.inputs.hard_negatives import ComposedNegatives, HardNegatives
from vldeformer.inputs.negatives import Corpus, HardNegativeComposer
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.inputs.streams import PairStream
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder, decompose
from vldeformer.models.settings import BackboneSettings
from vldeformer.models.weights import build_backbone
from vldeformer.stages.sections import read_section
from vldeformer.stages.train_dual import open_negatives
from vldeformer.training.settings import TrainSettings

VINVL = {
    "layers": 2, "hidden": 768, "heads": 12, "intermediate": 3072, "dropout": 0.1, "positions": 512, "caption_tokens": 35,
    "tag_tokens": 35, "joint_tokens": 70, "regions": 70,
}  # fmt: skip
"""As config/datasets/flickr30k_vinvl.yaml, but two of its twelve layers: what they keep for the gradient must fit in memory."""
VINVL_WIDTH, VINVL_IMAGES, VINVL_WORDS = 2048, 1000, 8000


@dataclass(frozen=True)
class Case:
    """Two streams of the same pairs, ours and one whose readers pad to the settings' lengths, and what makes the model."""

    name: str
    layers: int
    ours: PairStream
    padded: PairStream
    settings: TrainSettings
    model: Callable[[], DualEncoder]


def scenes(run: Path, pairs: int) -> Case:
    """The experiment in batches of ``pairs``; ``run``: folder ``artifacts/scenes/base``. The weights are random."""
    settings = run / "settings" / "train.json"
    backbone = read_section(settings, "backbone", BackboneSettings)
    section = read_section(settings, "train", TrainSettings).model_copy(update={"batch_images": pairs})
    words = WordPieces.load(run / "vocabulary" / "tokenizer.json")
    train = Manifest.load(run / "prepare" / "manifest.json").split("train")
    negatives = open_negatives(section, run / "negatives", train)
    return _case("scenes", backbone, section, words, train, open_region_store(run / "features" / "store"), negatives)


def vinvl(run: Path, shared: Path, pairs: int) -> Case:
    """Captions of Flickr30k as they are; tags and features of 10 to 70 regions, 50 in the mean, are random.

    ``shared``: the folder with ``flickr30k`` and ``visual_genome_vocab``. What a setting does not decide of the size is the
    scenes experiment's.
    """
    settings = run / "settings" / "train.json"
    backbone = BackboneSettings(**read_section(settings, "backbone", BackboneSettings).model_dump() | VINVL)
    section = read_section(settings, "train", TrainSettings).model_copy(update={"batch_images": pairs})
    whole = read_karpathy(shared / "flickr30k" / "dataset_flickr30k.json", "flickr30k", 5)
    train = whole.split("train").first(VINVL_IMAGES)
    words = WordPieces.learn([caption.text for caption in train.captions], VINVL_WORDS)
    objects = (shared / "visual_genome_vocab" / "objects_vocab.txt").read_text(encoding="utf-8").split("\n")
    store = RandomRegions(train, [name.split(",")[0] for name in objects if name])
    composing = read_section(run / "settings" / "negatives.json", "negatives", NegativeSettings)
    return _case("vinvl", backbone, section, words, train, store, _composed(composing, train, store))


class RandomRegions:
    """Regions by image id, the same every time; features stay in memory, as those of a warm store do."""

    feature_width = VINVL_WIDTH

    def __init__(self, manifest: Manifest, tags: list[str]) -> None:
        generator = np.random.default_rng(0)
        self.images: dict[str, Regions] = {}
        for image in manifest.images:
            count = int(np.clip(round(generator.normal(50, 14)), 10, 70))
            features = generator.standard_normal((count, VINVL_WIDTH), dtype=np.float32).astype(np.float16)
            corners = generator.random((count, 4), dtype=np.float32) / 2
            boxes = np.hstack([corners[:, :2], corners[:, :2] + corners[:, 2:]])
            named = tuple(tags[number] for number in generator.integers(len(tags), size=count))
            self.images[image.id] = Regions(features, boxes, named)

    def __getitem__(self, image_id: str) -> Regions:
        return self.images[image_id]


def _composed(settings: NegativeSettings, train: Manifest, store: RandomRegions) -> ComposedNegatives:
    """As the stage `negatives` composes them, one variant."""
    captions: dict[str, list[Caption]] = {image.id: [] for image in train.images}
    for caption in train.captions:
        captions[caption.image_id].append(caption)
    tags = {image: store[image].tags for image in captions}
    composer = HardNegativeComposer(settings.model_copy(update={"variants": 1}), Corpus(captions, tags), 1)
    counts = {image: len(store[image].boxes) for image in captions}
    images = composer.image_composer(None)
    composed = {image: images.compose(image, 0, counts) for image in captions}
    texts, _ = composer.texts()
    return ComposedNegatives(
        {text.caption_id: [text.text] for text in texts}, {image: [one] for image, one in composed.items() if one is not None}
    )


def _case(
    name: str,
    backbone: BackboneSettings,
    section: TrainSettings,
    words: WordPieces,
    train: Manifest,
    store: RegionSource,
    negatives: HardNegatives,
) -> Case:
    def stream(full: bool) -> PairStream:
        text = TextReader(words, backbone.caption_tokens, full)
        visual = RegionReader(store, words, backbone.tag_tokens, backbone.regions, full)
        return PairStream(train, text, visual, section.batch_images, section.seed, negatives=negatives)

    ours = stream(False)

    def model() -> DualEncoder:
        torch.manual_seed(0)
        transformer = build_backbone(backbone, len(words), ours.visual.feature_width)
        return decompose(transformer, section.pooling, section.pooling_dropout)

    return Case(name, backbone.layers, ours, stream(True), section, model)
