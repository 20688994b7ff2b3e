"""Karpathy's annotation files (dataset_coco.json, dataset_flickr8k.json, dataset_flickr30k.json) and their photographs."""

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from vldeformer.artifact import read_json
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.errors import InputError

# COCO's `restval` images belong to training in every published protocol.
SPLITS = {"train": "train", "restval": "train", "val": "val", "test": "test"}
DECODING_ERRORS = (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError)


def read_karpathy(path: Path, dataset: str, captions_per_image: int) -> Manifest:
    """The first ``captions_per_image`` captions of every image, in file order.

    Raises InputError, naming file and image, on another layout, an unknown split or an image with fewer captions.
    """
    value = read_json(path)
    try:
        images = [_image(path, row) for row in value["images"]]
        captions = [
            Caption(f"{image.id}#{number}", image.id, text)
            for image, row in zip(images, value["images"], strict=True)
            for number, text in enumerate(_sentences(path, image, row, captions_per_image))
        ]
    except (KeyError, TypeError, AttributeError) as error:
        layout = "images → filename, split, sentences → raw"
        raise InputError(f"{path}: expected Karpathy's layout ({layout}), got another one; {error!r}") from None
    try:
        return Manifest(dataset, tuple(images), tuple(captions))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _image(path: Path, row: dict[str, Any]) -> Image:
    name = row["filename"]
    if row["split"] not in SPLITS:
        raise InputError(f"{path}: image {name!r} has split {row['split']!r}, expected one of {', '.join(SPLITS)}")
    below = f"{row['filepath']}/{name}" if "filepath" in row else name
    if Path(below).is_absolute() or ".." in Path(below).parts:
        raise InputError(f"{path}: image file {below!r} points outside its folder")
    return Image(Path(name).stem, SPLITS[row["split"]], below)


def _sentences(path: Path, image: Image, row: dict[str, Any], number: int) -> list[str]:
    sentences = [" ".join(sentence["raw"].split()) for sentence in row["sentences"]]
    if len(sentences) < number:
        found = f"image {image.id!r} has {len(sentences)} captions, expected {number}"
        raise InputError(f"{path}: {found}; lower dataset.captions_per_image or leave the image out")
    return sentences[:number]


def read_photograph(path: Path, size: int) -> np.ndarray:
    """(size, size, 3) uint8 RGB: the photograph scaled to cover the square, its centre cut out.

    Raises InputError naming the file if it is missing, truncated or not an image.
    """
    try:
        with PIL.Image.open(path) as photograph:
            rgb = photograph.convert("RGB")
    except FileNotFoundError:
        raise InputError(f"{path}: photograph not found; put the data set's images there") from None
    except DECODING_ERRORS as error:
        raise InputError(f"{path}: expected a photograph, cannot read it ({error}); replace the file") from None
    scale = size / min(rgb.size)
    if scale != 1:
        scaled = max(size, round(rgb.width * scale)), max(size, round(rgb.height * scale))
        rgb = rgb.resize(scaled, PIL.Image.Resampling.BICUBIC)
    left, top = (rgb.width - size) // 2, (rgb.height - size) // 2
    return np.asarray(rgb.crop((left, top, left + size, top + size)))
