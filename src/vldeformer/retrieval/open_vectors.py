"""Anyone's vectors from .npy files, and the part of one data set among several that were joined."""

import dataclasses
from pathlib import Path

import numpy as np

from vldeformer.artifact import load_array, read_texts
from vldeformer.errors import InputError
from vldeformer.retrieval.embeddings import Embeddings, Scores


def open_arrays(
    images: Path, captions: Path, caption_image_index: Path, image_ids: Path | None, caption_ids: Path | None
) -> Embeddings:
    """Anyone's vectors in .npy files, with ids in JSON lists if there are any. Raises InputError naming the files."""
    arrays = [load_array(path) for path in (images, captions, caption_image_index)]
    ids = [None if path is None else read_texts(path) for path in (image_ids, caption_ids)]
    try:
        return Embeddings.from_arrays(arrays[0], arrays[1], arrays[2], ids[0], ids[1])
    except InputError as error:
        given = f"--images {images} --captions {captions} --caption-image-index {caption_image_index}"
        raise InputError(f"{given}: {error}") from None


def part_of(judged: Embeddings | Scores, name: str) -> Embeddings | Scores:
    """The images and captions of one of several joined data sets, under their own ids. Raises InputError if there is none."""
    prefix = f"{name}:"
    rows = np.array([row for row, image_id in enumerate(judged.image_ids) if image_id.startswith(prefix)], dtype=np.int64)
    if not len(rows):
        raise InputError(f"part {name!r}: no image id begins with {prefix!r}; the first is {judged.image_ids[0]!r}")
    part = judged.part(rows)
    image_ids, caption_ids = (tuple(item.removeprefix(prefix) for item in ids) for ids in (part.image_ids, part.caption_ids))
    return dataclasses.replace(part, image_ids=image_ids, caption_ids=caption_ids)
