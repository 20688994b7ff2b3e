"""The compositional test: which of two captions of an image, one wrong in a single point, a model prefers.

A decomposed model reads each image and each caption once; a joint model reads each pair. What is read the same (a caption cut
to the model's length may be) gets one and the same score: it is a tie, not decided by rounding.
"""

from collections.abc import Sequence

import numpy as np
import torch

from vldeformer.data.sugarcrepe import CompositionalItem
from vldeformer.errors import InputError
from vldeformer.inputs.collate import TextReader, VisualReader
from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.encode import Progress, encode_captions, encode_images, silent
from vldeformer.runtime import RuntimeSettings, arithmetic

PAIRS_AT_ONCE = 256


def item_scores(
    model: DualEncoder | JointMatcher,
    items: Sequence[CompositionalItem],
    image_ids: Sequence[str],
    text: TextReader,
    visual: VisualReader,
    runtime: RuntimeSettings,
    progress: Progress = silent,
) -> np.ndarray:
    """(N, 2) float32: scores of each item's image, ``image_ids``, with its true caption and with its negative.

    ``progress`` is told how many images, captions or pairs each batch had. Raises InputError if a score is not finite.
    """
    texts = [caption for item in items for caption in (item.caption, item.negative)]
    pieces = [tuple(row) for row in text.words.encode(texts, text.most_tokens)]
    caption_of = {row: number for number, row in enumerate(dict.fromkeys(pieces))}
    image_of = {image_id: number for number, image_id in enumerate(dict.fromkeys(image_ids))}
    read = np.array([(image_of[image_ids[place // 2]], caption_of[row]) for place, row in enumerate(pieces)])
    pairs, place_of = np.unique(read, axis=0, return_inverse=True)
    if isinstance(model, DualEncoder):
        said = dict(zip(pieces, texts, strict=True))
        images = encode_images(model, list(image_of), visual, runtime, progress)
        captions = encode_captions(model, [said[row] for row in caption_of], text, runtime, progress)
        scores = np.einsum("pd,pd->p", images[pairs[:, 0]], captions[pairs[:, 1]])
    else:
        scores = _pair_scores(model, pairs, list(image_of), list(caption_of), text, visual, runtime, progress)
    item_scores: np.ndarray = scores[place_of].reshape(len(items), 2)
    for item, both in zip(items, item_scores, strict=True):
        if not np.isfinite(both).all():
            raise InputError(f"{item.subset} item {item.key!r} ({item.file}): its score is NaN or infinity; check the model")
    return item_scores


def _pair_scores(
    matcher: JointMatcher,
    pairs: np.ndarray,
    image_ids: Sequence[str],
    pieces: Sequence[Sequence[int]],
    text: TextReader,
    visual: VisualReader,
    runtime: RuntimeSettings,
    progress: Progress,
) -> np.ndarray:
    """(P,) float32: joint scores of rows of images and of captions; captions of one length share a batch."""
    device = next(matcher.parameters()).device
    scores = np.empty(len(pairs), dtype=np.float32)
    order = np.argsort([len(pieces[caption]) for _, caption in pairs], kind="stable")
    for start in range(0, len(order), PAIRS_AT_ONCE):
        rows = order[start : start + PAIRS_AT_ONCE]
        images, image_rows = np.unique(pairs[rows, 0], return_inverse=True)
        shown = visual.read([image_ids[image] for image in images]).select(torch.from_numpy(image_rows)).to(device)
        said = text.pad([pieces[caption] for caption in pairs[rows, 1]]).to(device)
        with torch.inference_mode(), arithmetic(runtime):
            scores[rows] = matcher.score(said, shown).float().cpu().numpy()
        progress(len(rows))
    return scores
