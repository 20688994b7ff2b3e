"""COCO's own caption files (captions_val2017.json): images and annotations in two lists."""

from pathlib import Path
from typing import Any

from vldeformer.artifact import read_json
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.errors import InputError


def read_coco_captions(path: Path, dataset: str, split: str, captions_per_image: int | None = None) -> Manifest:
    """All images as one ``split``, ids as in COCO; images, and the captions of an image, in the order of the file.

    ``captions_per_image``: the first so many; None: all. A caption's id is its annotation number, by which ECCV Caption and CxC
    name it. Raises InputError naming the file, and the image where there is one, on another layout, an image with fewer captions,
    or a caption of an image that is not listed.
    """
    value = read_json(path)
    try:
        images = tuple(Image(str(row["id"]), split, row["file_name"]) for row in value["images"])
        captions: dict[str, list[Caption]] = {image.id: [] for image in images}
        for row in value["annotations"]:
            caption = _caption(row)
            if caption.image_id not in captions:
                listed = f"caption {caption.id!r} belongs to image {caption.image_id!r}, which is not listed"
                raise InputError(f"{path}: {listed}; the file may be cut short")
            captions[caption.image_id].append(caption)
    except (KeyError, TypeError, AttributeError) as error:
        layout = "images → id, file_name; annotations → id, image_id, caption"
        raise InputError(f"{path}: expected COCO's layout ({layout}), got another one; {error!r}") from None
    for image_id, found in captions.items():
        if captions_per_image is not None and len(found) < captions_per_image:
            raise InputError(f"{path}: image {image_id!r} has {len(found)} captions, expected {captions_per_image}")
    chosen = tuple(caption for image in images for caption in captions[image.id][:captions_per_image])
    try:
        return Manifest(dataset, images, chosen)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _caption(row: dict[str, Any]) -> Caption:
    return Caption(str(row["id"]), str(row["image_id"]), " ".join(row["caption"].split()))
