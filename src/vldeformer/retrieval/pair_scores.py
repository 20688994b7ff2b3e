"""Joint scores of listed pairs, as re-ranking and the compositional test need; ``encode.score_pairs`` scores all of a set.

Captions of one length share a batch, and an image's pairs lie together, so that little is padded or read twice.
"""

from collections.abc import Sequence

import numpy as np
import torch

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
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
    own_images, images = np.unique(pairs[0], return_inverse=True)
    own_captions, captions = np.unique(pairs[1], return_inverse=True)
    ids = [manifest.images[row].id for row in own_images.tolist()]
    pieces = text.words.encode([manifest.captions[row].text for row in own_captions.tolist()], text.most_tokens)
    scores = score_rows(matcher, ids, pieces, (images, captions), text, visual, runtime, progress, batch_size)
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        image, caption = manifest.images[pairs[0][wrong[0]]].id, manifest.captions[pairs[1][wrong[0]]].id
        raise InputError(f"image {image!r} with caption {caption!r}: its score is NaN or infinite; check model and store")
    return scores


def score_rows(
    matcher: JointMatcher,
    image_ids: Sequence[str],
    pieces: Sequence[Sequence[int]],
    pairs: tuple[np.ndarray, np.ndarray],
    text: TextReader,
    visual: VisualReader,
    runtime: RuntimeSettings,
    progress: Progress = silent,
    batch_size: int = PAIRS_AT_ONCE,
) -> np.ndarray:
    """(P,) float32 joint scores of ``pairs``: rows (P,) of ``image_ids`` and of ``pieces``, the token numbers of captions.

    They are in the order of ``pairs`` and may be NaN or infinite. ``progress`` is told how many pairs each batch had.
    """
    device = next(matcher.parameters()).device
    images, captions = pairs
    scores = np.empty(len(images), dtype=np.float32)
    lengths = np.array([len(row) for row in pieces])
    order = np.lexsort((captions, images, lengths[captions]))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        own, place = np.unique(images[rows], return_inverse=True)
        read = visual.read([image_ids[image] for image in own.tolist()]).to(device)
        shown = read.select(torch.from_numpy(place).to(device))
        said = text.pad([pieces[caption] for caption in captions[rows].tolist()]).to(device)
        with torch.inference_mode(), arithmetic(runtime):
            scores[rows] = matcher.score(said, shown).float().cpu().numpy()
        progress(len(rows))
    return scores
