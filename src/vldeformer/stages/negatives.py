"""Stage `negatives`: composed hard negatives of the training images, as indices and words that can be read and versioned."""

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from vldeformer.artifact import provenance, whole_folder, write_json
from vldeformer.data.joined import open_region_store
from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.lexicon import learn_lexicon
from vldeformer.inputs.negatives import ComposedText, HardNegativeComposer
from vldeformer.inputs.settings import NegativeSettings
from vldeformer.models.settings import BackboneSettings
from vldeformer.stages.sections import read_section


def negatives(settings: Path, manifest: Path, visual: Path, out: Path) -> None:
    """Write ``text.parquet``, ``image.parquet``, ``lexicon.json`` and ``summary.json`` (counts, also of what has none)."""
    started = time.monotonic()
    section = read_section(settings, "negatives", NegativeSettings)
    backbone = read_section(settings, "backbone", BackboneSettings)
    train = Manifest.load(manifest).split("train")
    captions: dict[str, list[str]] = {image.id: [] for image in train.images}
    for caption in train.captions:
        captions[caption.image_id].append(caption.text)
    tags: dict[str, tuple[str, ...]] = {}
    counts: dict[str, int] | int
    if backbone.reads != "pixels":
        store = open_region_store(visual)
        read = {image.id: store[image.id] for image in train.images}
        tags = {image_id: image.tags for image_id, image in read.items()}
        counts = {image_id: min(len(image.boxes), backbone.regions) for image_id, image in read.items()}
    else:
        counts = (backbone.crop_size // backbone.patch_size) ** 2
    lexicon = learn_lexicon(captions, tags or None)
    composer = HardNegativeComposer(section, lexicon, captions, tags)
    turns = range(section.variants)
    each_caption = tqdm(train.captions, unit="caption", desc="captions", mininterval=2, delay=2, disable=None)
    texts = [composer.text(caption, turn) for caption in each_caption for turn in turns]
    each_image = tqdm(train.images, unit="image", desc="images", mininterval=2, delay=2, disable=None)
    images = [composer.image(image.id, turn, counts) for image in each_image for turn in turns]
    found_texts, found_images = [t for t in texts if t is not None], [i for i in images if i is not None]
    with whole_folder(out) as folder:
        _write(folder / "text.parquet", found_texts, ["caption_id", "places", "words", "text"])
        _write(folder / "image.parquet", found_images, ["image_id", "partner_id", "kept", "taken"])
        write_json(folder / "lexicon.json", {"nouns": dict(lexicon.nouns), "attributes": dict(lexicon.attributes)})
        write_json(
            folder / "summary.json",
            {
                "texts": len(found_texts),
                "texts_not_composed": len(texts) - len(found_texts),
                "images": len(found_images),
                "images_not_composed": len(images) - len(found_images),
            },
        )
        sections = {"negatives": section.model_dump(mode="json"), "backbone": backbone.model_dump(mode="json")}
        inputs = {"manifest": manifest, "visual": visual}
        write_json(folder / "provenance.json", provenance(sections, inputs, started))


def _write(path: Path, rows: Sequence[ComposedText | ComposedImage], columns: list[str]) -> None:
    values = {name: [getattr(row, name) for row in rows] for name in columns}
    table = {name: [list(value) if isinstance(value, tuple) else value for value in column] for name, column in values.items()}
    pd.DataFrame(table).to_parquet(path, index=False)


def read_hard_texts(folder: Path) -> dict[str, list[str]]:
    """Caption id → its composed captions, in the order of their variants."""
    table = _read(folder / "text.parquet")
    texts: dict[str, list[str]] = {}
    for caption_id, text in zip(table["caption_id"], table["text"], strict=True):
        texts.setdefault(caption_id, []).append(text)
    return texts


def read_hard_images(folder: Path) -> dict[str, list[ComposedImage]]:
    """Image id → its composed images, in the order of their variants."""
    table = _read(folder / "image.parquet")
    images: dict[str, list[ComposedImage]] = {}
    for image_id, partner, kept, taken in zip(table["image_id"], table["partner_id"], table["kept"], table["taken"], strict=True):
        images.setdefault(image_id, []).append(ComposedImage(image_id, partner, tuple(kept.tolist()), tuple(taken.tolist())))
    return images


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: expected composed negatives; {error}; run `vldeformer negatives`") from None
