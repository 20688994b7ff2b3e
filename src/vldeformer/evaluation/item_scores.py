"""The compositional test: which of two captions of an image, one wrong in a single point, a model prefers.

A decomposed model reads each image and each caption once; a joint model reads each pair. What is read the same (a caption cut
to the model's length may be) gets one and the same score: it is a tie, not decided by rounding.
"""

from collections.abc import Sequence

import numpy as np

from vldeformer.data.sugarcrepe import CompositionalItem
from vldeformer.errors import InputError
from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.item_vectors import Progress, encode_captions, encode_images, silent
from vldeformer.retrieval.pair_scores import score_rows
from vldeformer.retrieval.reader import Reader

PAIRS_AT_ONCE = 256


def item_scores(
    model: DualEncoder | JointMatcher,
    items: Sequence[CompositionalItem],
    image_ids: Sequence[str],
    reader: Reader,
    progress: Progress = silent,
) -> np.ndarray:
    """Scores of each item's image with its true caption and with its negative: (N, 2) float32.

    Args:
        model: a decomposed or a joint model, in eval mode.
        items: the captions.
        image_ids: the image of each item.
        reader: of the model.
        progress: gets the number of images, captions or pairs of each batch.

    Raises:
        InputError: a score is not finite.

    """
    texts = [caption for item in items for caption in (item.caption, item.negative)]
    pieces = [tuple(row) for row in reader.text.words.encode(texts, reader.text.most_tokens)]
    caption_of = {row: number for number, row in enumerate(dict.fromkeys(pieces))}
    image_of = {image_id: number for number, image_id in enumerate(dict.fromkeys(image_ids))}
    read = np.array([(image_of[image_ids[place // 2]], caption_of[row]) for place, row in enumerate(pieces)])
    pairs, place_of = np.unique(read, axis=0, return_inverse=True)
    if isinstance(model, DualEncoder):
        said = dict(zip(pieces, texts, strict=True))
        images = encode_images(model, list(image_of), reader, progress)
        captions = encode_captions(model, [said[row] for row in caption_of], reader, progress)
        scores = np.einsum("pd,pd->p", images[pairs[:, 0]], captions[pairs[:, 1]])
    else:
        rows = (pairs[:, 0], pairs[:, 1])
        scores = score_rows(model, list(image_of), list(caption_of), rows, reader, progress, PAIRS_AT_ONCE)
    by_item: np.ndarray = scores[place_of].reshape(len(items), 2)
    for item, both in zip(items, by_item, strict=True):
        if not np.isfinite(both).all():
            raise InputError(f"{item.subset} item {item.key!r} ({item.file}): its score is NaN or infinity; check the model")
    return by_item
