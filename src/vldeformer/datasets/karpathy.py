"""A Karpathy file and its photographs: dataset_coco.json, dataset_flickr30k.json, dataset_flickr8k.json as they are."""

import contextlib
import gc
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from vldeformer.artifact import read_json
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.datasets.source import PhotographSource, Warn, ignore
from vldeformer.errors import InputError
from vldeformer.section import unused

# COCO's `restval` images belong to training in every published protocol.
SPLITS = {"train": "train", "restval": "train", "val": "val", "test": "test"}


class KarpathySource(PhotographSource):
    """A Karpathy JSON file and its photographs."""

    source: Literal["karpathy"]
    annotations: str = Field(description="Karpathy JSON file below raw_dir")
    captions_per_image: int = Field(ge=1, description="first captions of an image that are used; fewer is an error")
    expected_splits: dict[str, int] | None = Field(
        default=None, description="images that train (restval too), val and test must have; null: not checked"
    )
    target_images: int | None = Field(
        default=None,
        ge=2,
        description="the last so many images of train are the target set alone; those before them become the split `pretrain`; "
        "null: there is none",
        exclude_if=unused,
    )

    @property
    def raw_files(self) -> list[str]:
        """The Karpathy file."""
        return [self.annotations]

    def read(self, raw_dir: Path, warn: Warn = ignore) -> Manifest:
        """Read the first captions of every image; see ``read_karpathy``."""
        path = raw_dir / self.annotations
        found = read_karpathy(path, self.name, self.captions_per_image, self.expected_splits)
        return found if self.target_images is None else set_apart(found, self.target_images, path)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """The collector searches a growing heap in which nothing is garbage: on COCO's file that is two thirds of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_uncollected()
def read_karpathy(
    path: Path, dataset: str, captions_per_image: int, expected_splits: Mapping[str, int] | None = None
) -> Manifest:
    """The first ``captions_per_image`` captions of every image, in file order.

    An image's id is its COCO id if it has one, so that COCO's features and judgements join, else its file's name without the
    ending. Raises InputError, naming file and image, on another layout, an unknown split or an image with fewer captions, and
    naming the file if the numbers of images are not ``expected_splits``.
    """
    value = read_json(path)
    try:
        images = tuple(_image(path, row) for row in value["images"])
        captions = tuple(
            Caption(f"{image.id}#{number}", image.id, text)
            for image, row in zip(images, value["images"], strict=True)
            for number, text in enumerate(_sentences(path, image, row, captions_per_image))
        )
    except (KeyError, TypeError, AttributeError) as error:
        layout = "images → filename, split, sentences → raw"
        raise InputError(f"{path}: expected Karpathy's layout ({layout}), got another one; {error!r}") from None
    try:
        manifest = Manifest(dataset, images, captions)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if expected_splits is not None and manifest.splits != dict(expected_splits):
        raise InputError(
            f"{path}: expected {_counts(expected_splits)} images, found {_counts(manifest.splits)}; "
            f"use the published file, or change dataset.expected_splits"
        )
    return manifest


def set_apart(manifest: Manifest, target_images: int, path: Path) -> Manifest:
    """The training images before the last ``target_images`` as split ``pretrain``: no image of the target set is among them.

    Raises InputError, naming the file, if no image is left for it.
    """
    train = [image.id for image in manifest.images if image.split == "train"]
    if target_images >= len(train):
        raise InputError(f"{path}: {len(train)} training images; dataset.target_images must be less, got {target_images}")
    earlier = set(train[:-target_images])
    images = tuple(replace(image, split="pretrain") if image.id in earlier else image for image in manifest.images)
    return replace(manifest, images=images)


def _image(path: Path, row: dict[str, Any]) -> Image:
    name = row["filename"]
    if row["split"] not in SPLITS:
        raise InputError(f"{path}: image {name!r} has split {row['split']!r}, expected one of {', '.join(SPLITS)}")
    below = f"{row['filepath']}/{name}" if "filepath" in row else name
    if below.startswith("/") or ".." in below.split("/"):
        raise InputError(f"{path}: image file {below!r} points outside its folder")
    image_id = str(row["cocoid"]) if "cocoid" in row else posixpath.splitext(posixpath.basename(name))[0]
    return Image(image_id, SPLITS[row["split"]], below)


def _sentences(path: Path, image: Image, row: dict[str, Any], number: int) -> list[str]:
    sentences = row["sentences"]
    if len(sentences) < number:
        found = f"image {image.id!r} has {len(sentences)} captions, expected {number}"
        raise InputError(f"{path}: {found}; lower dataset.captions_per_image or leave the image out")
    return [" ".join(sentence["raw"].split()) for sentence in sentences[:number]]


def _counts(splits: Mapping[str, int]) -> str:
    return " / ".join(f"{splits[name]:,} {name}" for name in ("train", "val", "test") if name in splits)
