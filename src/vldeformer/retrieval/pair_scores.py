"""Joint scores of listed pairs, for re-ranking; ``encode.score_pairs`` scores every pair of a set.

Captions of one length share a batch, and an image's pairs lie together, so that little is padded or read twice.
"""

from collections.abc import Iterator

import numpy as np
import torch

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.batch import TextInput, VisualInput
from vldeformer.inputs.collate import TextReader, VisualReader
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.encode import Progress, silent
from vldeformer.runtime import RuntimeSettings, arithmetic

PAIRS_AT_ONCE = 512


def score_listed(
    matcher: JointMatcher,
    manifest: Manifest,
    pairs: tuple[np.ndarray, np.ndarray],
    text: TextReader,
    visual: VisualReader,
    runtime: RuntimeSettings,
    progress: Progress = silent,
    batch_size: int = PAIRS_AT_ONCE,
) -> np.ndarray:
    """(P,) float32 joint scores of ``pairs``, image rows and caption rows (P,) of ``manifest``, in their order.

    ``progress`` is told how many pairs each batch had. Raises InputError naming a pair whose score is not finite.
    """
    device = next(matcher.parameters()).device
    scores = np.empty(len(pairs[0]), dtype=np.float32)
    for rows, captions, images in _batches(manifest, pairs, text, visual, batch_size):
        with torch.inference_mode(), arithmetic(runtime):
            scores[rows] = matcher.score(captions.to(device), images.to(device)).float().cpu().numpy()
        progress(len(rows))
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        image, caption = manifest.images[pairs[0][wrong[0]]].id, manifest.captions[pairs[1][wrong[0]]].id
        raise InputError(f"image {image!r} with caption {caption!r}: its score is NaN or infinite; check model and store")
    return scores


def _batches(
    manifest: Manifest, pairs: tuple[np.ndarray, np.ndarray], text: TextReader, visual: VisualReader, size: int
) -> Iterator[tuple[np.ndarray, TextInput, VisualInput]]:
    """Rows of the pairs of a batch, their captions and their images; an image is read once a batch."""
    image_rows = pairs[0]
    own_captions, number = np.unique(pairs[1], return_inverse=True)
    pieces = text.words.encode([manifest.captions[row].text for row in own_captions.tolist()], text.most_tokens)
    lengths = np.array([len(row) for row in pieces])
    order = np.lexsort((number, image_rows, lengths[number]))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        images, place = np.unique(image_rows[rows], return_inverse=True)
        read = visual.read([manifest.images[row].id for row in images.tolist()])
        captions = text.pad([pieces[row] for row in number[rows].tolist()])
        yield rows, captions, read.select(torch.from_numpy(place))
