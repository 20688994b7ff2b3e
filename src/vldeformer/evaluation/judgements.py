"""Judgements beyond each caption's own image: ECCV Caption and CxC (Crisscrossed Captions), from the package ``eccv_caption``.

The package brings the files of both; only they are taken from it. Ranks and measures are this project's, so that ties count
against the model there too; a test holds them equal to the package's own.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vldeformer.data.relevance import Relevance
from vldeformer.errors import InputError
from vldeformer.evaluation.coco_ids import caption_numbers, image_numbers
from vldeformer.evaluation.precision import Judgement

JudgedBy = Literal["eccv", "cxc"]


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
