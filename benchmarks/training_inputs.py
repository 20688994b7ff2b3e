"""What `training_step.py` trains: the `scenes` experiment `decomposed` of a finished run, and a model of VinVL's width."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from vinvl_sized import SIZES, make_world

from vldeformer.data.manifest import Manifest
from vldeformer.data.parts import open_region_store
from vldeformer.data.records import Caption, RegionSource
from vldeformer.inputs.collate import RegionReader, TextReader
from vldeformer.inputs.drawn_negatives import ComposedNegatives, HardNegatives
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.inputs.streams import PairStream
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import DualEncoder, decompose
from vldeformer.models.oscar_settings import OscarSettings
from vldeformer.models.weights import build_backbone
from vldeformer.negatives.composer import Corpus, HardNegativeComposer
from vldeformer.steps import negatives as negatives_step
from vldeformer.steps import train as train_step
from vldeformer.steps.settings_file import read_backbone, read_section, read_training
from vldeformer.training.inputs import open_negatives
from vldeformer.training.settings import DualTraining

VINVL_LAYERS = 2
"""Of twelve: what all of them keep for the gradient does not fit in the memory of a small machine."""


@dataclass(frozen=True)
class Case:
    """Two streams of the same pairs, ours and one whose readers pad to the settings' lengths, and what makes the model."""

    name: str
    layers: int
    ours: PairStream
    padded: PairStream
    settings: DualTraining
    model: Callable[[], DualEncoder]


def read_dual(settings: Path) -> DualTraining:
    """The section ``train`` of a decomposed model."""
    section = read_training(settings, train_step.VERSION)
    assert isinstance(section, DualTraining), f"{settings} is of no decomposed model"
    return section


def scenes(run: Path, pairs: int) -> Case:
    """The experiment in batches of ``pairs``; ``run``: folder ``artifacts/scenes/base``. The weights are random."""
    settings = run / "settings" / "train.json"
    backbone = read_backbone(settings, train_step.VERSION)
    assert isinstance(backbone, OscarSettings)
    section = read_dual(settings).model_copy(update={"batch_images": pairs})
    words = WordPieces.load(run / "vocabulary" / "tokenizer.json")
    train = Manifest.load(run / "prepare" / "manifest.json").split("train")
    negatives = open_negatives(section, run / "negatives", train)
    return _case("scenes", backbone, section, words, train, open_region_store(run / "features" / "store"), negatives)


def vinvl(run: Path, shared: Path, pairs: int) -> Case:
    """The model and the images of `embed.py`, with fewer layers. What its settings leave open is as in the scenes experiment.

    ``shared``: the folder with ``flickr30k`` and ``visual_genome_vocab``.
    """
    settings = run / "settings" / "train.json"
    section = read_dual(settings).model_copy(update={"batch_images": pairs})
    composing = read_section(run / "settings" / "negatives.json", "negatives", NegativeSettings, negatives_step.VERSION)
    world = make_world(shared)
    negatives = _composed(composing, world.manifest, world.store)
    backbone = SIZES.model_copy(update={"layers": VINVL_LAYERS})
    return _case("vinvl", backbone, section, world.words, world.manifest, world.store, negatives)


def _composed(settings: NegativeSettings, train: Manifest, store: RegionSource) -> ComposedNegatives:
    """As the step `negatives` composes them, one variant."""
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
    backbone: OscarSettings,
    section: DualTraining,
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
