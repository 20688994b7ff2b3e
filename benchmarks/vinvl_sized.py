"""What two benchmarks run on: a BERT-base-sized VinVL model with random weights, 1,000 images as VinVL's, Flickr30k's captions.

Region features are random numbers, their counts drawn from 10 to 70 with mean 50; each region has a tag, an object word of Visual
Genome. The word pieces are learned from these captions and tags, so that few words are cut.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image, Regions
from vldeformer.inputs.collate import RegionReader, TextReader
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.oscar import OscarBackbone
from vldeformer.models.oscar_settings import OscarSettings
from vldeformer.retrieval.reader import Reader
from vldeformer.runtime import RuntimeSettings

BERT_WORDS, FEATURES = 30_522, 2048
CAPTION_TOKENS, TAG_TOKENS, JOINT_TOKENS, REGIONS = 35, 35, 70, 70
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

SIZES = OscarSettings(
    kind="oscar", layers=12, hidden=768, heads=12, intermediate=3072, dropout=0.1, positions=512,
    caption_tokens=CAPTION_TOKENS, tag_tokens=TAG_TOKENS, joint_tokens=JOINT_TOKENS, regions=REGIONS, text_model=None,
)  # fmt: skip


class RandomRegions:
    """A region store in memory, features as float16: the images differ in where they begin in one table of random numbers."""

    feature_width = FEATURES

    def __init__(self, n_images: int, tags: list[str]) -> None:
        draw = np.random.default_rng(0)
        self.table = draw.standard_normal((4096, FEATURES), dtype=np.float32).clip(0).astype(np.float16)
        self.counts = (10 + 60 * draw.beta(4, 2, n_images)).round().astype(int)
        self.begins = draw.integers(0, len(self.table) - REGIONS, n_images)
        self.tags = np.array(tags)[draw.integers(0, len(tags), (n_images, REGIONS))]
        corners = draw.random((n_images, REGIONS, 2, 2), dtype=np.float32)
        self.boxes = np.concatenate([corners.min(2), corners.max(2)], axis=2)

    def __getitem__(self, image_id: str) -> Regions:
        row = int(image_id)
        count, begin = self.counts[row], self.begins[row]
        tags = tuple(self.tags[row, :count].tolist())
        return Regions(self.table[begin : begin + count], self.boxes[row, :count], tags)


@dataclass(frozen=True)
class World:
    """1,000 images, five captions each."""

    manifest: Manifest
    words: WordPieces
    store: RandomRegions

    def reader(self, runtime: RuntimeSettings, full: bool = False) -> Reader:
        """Captions and images each alone; ``full``: padded to the released lengths."""
        visual = RegionReader(self.store, self.words, TAG_TOKENS, REGIONS, full)
        return Reader(TextReader(self.words, CAPTION_TOKENS, full), visual, runtime)

    def joint_reader(self, runtime: RuntimeSettings) -> Reader:
        """Captions and images read together."""
        visual = RegionReader(self.store, self.words, JOINT_TOKENS, REGIONS)
        return Reader(TextReader(self.words, JOINT_TOKENS), visual, runtime)


def make_world(data: Path, n_images: int = 1000) -> World:
    """``data``: a folder with ``flickr30k`` and ``visual_genome_vocab``. The images are the test split's first."""
    found = json.loads((data / "flickr30k" / "dataset_flickr30k.json").read_text(encoding="utf-8"))["images"]
    chosen = [image for image in found if image["split"] == "test"][:n_images]
    lines = (data / "visual_genome_vocab" / "objects_vocab.txt").read_text(encoding="utf-8").splitlines()
    tags = [line.split(",")[0] for line in lines if line]
    captions = tuple(
        Caption(f"{row}#{number}", str(row), sentence["raw"])
        for row, image in enumerate(chosen)
        for number, sentence in enumerate(image["sentences"][:5])
    )
    words = WordPieces.learn([*(caption.text for caption in captions), *tags], BERT_WORDS)
    images = tuple(Image(str(row), "test") for row in range(len(chosen)))
    return World(Manifest("vinvl_sized", images, captions), words, RandomRegions(len(images), tags))


def make_backbone() -> OscarBackbone:
    """Random weights, in eval mode."""
    torch.manual_seed(0)
    return OscarBackbone(SIZES, BERT_WORDS, FEATURES + 6).eval()
