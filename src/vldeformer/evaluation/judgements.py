"""Judgements beyond each caption's own image: ECCV Caption and CxC (Crisscrossed Captions), from the package ``eccv_caption``.

The package brings the files of both; only they are taken from it. Ranks and measures are this project's, so that ties count
against the model there too; a test holds them equal to the package's own.

Lists and judgements published for COCO name images by number (391895) and captions by annotation number (770337). Elsewhere an
image may be ``COCO_val2014_000000391895`` or ``coco:391895``, and the k-th caption of an image ``391895#k``.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vldeformer.data.relevance import Relevance
from vldeformer.errors import InputError
from vldeformer.evaluation.precision import Judgement

JudgedBy = Literal["eccv", "cxc"]

IMAGE_NUMBER = re.compile(r"(\d+)(?:\.\w+)?$")
CAPTION_NUMBER = re.compile(r"(?:^|:)(\d+)$")
CAPTION_POSITION = re.compile(r"(\d+)(?:\.\w+)?#(\d+)$")


@dataclass(frozen=True, eq=False)
class Judgements:
    """Query row → its right gallery rows. The gallery is every image or every caption, also those that were not judged."""

    i2t: dict[int, Judgement]
    t2i: dict[int, Judgement]

    def relevance(self, caption_image_index: np.ndarray) -> Relevance:
        """For ranks of all queries at once; one that was not judged has its own captions or image, and its rank means nothing."""
        own: list[set[int]] = [set() for _ in range(int(caption_image_index.max()) + 1)]
        for caption, image in enumerate(caption_image_index.tolist()):
            own[image].add(caption)
        i2t = [self.i2t[row].rows if row in self.i2t else captions for row, captions in enumerate(own)]
        t2i = [self.t2i[row].rows if row in self.t2i else {image} for row, image in enumerate(caption_image_index.tolist())]
        return Relevance.from_sets(i2t, t2i)


def load_judgements(
    name: JudgedBy, image_ids: Sequence[str], caption_ids: Sequence[str], caption_image_index: np.ndarray
) -> Judgements:
    """Judgements by the rows of COCO's 5,000 test images and their 25,000 captions, which may stand in any order.

    Raises InputError if the package is not installed, or naming the first image or caption that is not among them.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks for a faster JSON reader; its files are small
            from eccv_caption import Metrics
    except ImportError:
        raise InputError(f"the judgements of {name} are in a package of its own: pip install 'vldeformer[eccv]'") from None
    published = Metrics()
    own: dict[int, list[int]] = published.coco_gts["i2t"]
    images = image_numbers(image_ids)
    for number, image_id in zip(images, image_ids, strict=True):
        if number not in own:
            raise InputError(f"image {image_id!r} is not one of the 5,000 COCO test images; give COCO's ids, e.g. --image-ids")
    captions = caption_numbers(caption_ids, [images[row] for row in caption_image_index.tolist()], own)
    judged = published.eccv_gts if name == "eccv" else published.cxc_gts
    return Judgements(_by_row(judged["i2t"], images, captions), _by_row(judged["t2i"], captions, images))


def _by_row(judged: Mapping[int, Sequence[int]], queries: Sequence[int], gallery: Sequence[int]) -> dict[int, Judgement]:
    rows = {number: row for row, number in enumerate(gallery)}
    right = {row: judged[number] for row, number in enumerate(queries) if number in judged}
    # A few right captions are an image's sixth: nobody's gallery has them, but they count among the R right ones.
    return {row: Judgement(frozenset(rows[n] for n in numbers if n in rows), len(numbers)) for row, numbers in right.items()}


def image_numbers(image_ids: Sequence[str], source: str = "image ids") -> list[int]:
    """The number at the end of each id, an extension left out. Raises InputError for an id without one, or one that repeats."""
    numbers: dict[int, str] = {}
    for image_id in image_ids:
        match = IMAGE_NUMBER.search(image_id)
        if match is None:
            raise InputError(f"{source}: expected COCO ids, e.g. '391895' or 'COCO_val2014_000000391895', got {image_id!r}")
        number = int(match[1])
        if number in numbers:
            raise InputError(f"{source}: {numbers[number]!r} and {image_id!r} are the same COCO image {number}; give it once")
        numbers[number] = image_id
    return list(numbers)


def caption_numbers(
    caption_ids: Sequence[str], image_of_caption: Sequence[int], captions_of_image: Mapping[int, Sequence[int]]
) -> list[int]:
    """COCO's annotation number of each caption.

    image_of_caption: number of each caption's image; captions_of_image: by image number the numbers of its captions. The k of
    ``IMAGE#k`` counts them from 0 in ascending order, which is the order of Karpathy's file. Raises InputError for an id that is
    neither a number nor a position of its image.
    """
    numbers = []
    for caption_id, image in zip(caption_ids, image_of_caption, strict=True):
        allowed = sorted(captions_of_image[image])
        number, position = CAPTION_NUMBER.search(caption_id), CAPTION_POSITION.search(caption_id)
        if number is not None and int(number[1]) in allowed:
            numbers.append(int(number[1]))
        elif position is not None and int(position[1]) == image and int(position[2]) < len(allowed):
            numbers.append(allowed[int(position[2])])
        else:
            expected = f"{', '.join(map(str, allowed))} or {image}#0 to {image}#{len(allowed) - 1} for a caption of image {image}"
            raise InputError(f"caption ids: expected {expected}, got {caption_id!r}")
    return numbers
