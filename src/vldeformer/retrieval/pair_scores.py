"""Scores of pairs by a joint model: of every pair of a set (``score_all``) or of listed pairs (``score_listed``, ``score_rows``).

One loop fills the scores, ``_filled``; two plans say which pairs share a batch. All pairs: blocks of 8 images and 64 captions of
similar length, and what the model reads apart is read once an item. Listed pairs: captions of one length share a batch, and the
pairs of an image follow each other, so that little is padded or read twice. Both run the same layers on the same pairs; their
scores may differ in the last bits, as float sums depend on the batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.batch import TextInput
from vldeformer.models.joint import HalfRead, JointMatcher, log_odds
from vldeformer.retrieval.embeddings import Scores
from vldeformer.retrieval.item_vectors import Progress, silent, text_batches
from vldeformer.retrieval.reader import Reader

CAPTIONS_AT_ONCE, IMAGES_AT_ONCE = 64, 8
PAIRS_AT_ONCE = 512

Pairs = tuple[np.ndarray, np.ndarray]
"""Image rows and caption rows (P,)."""

Batches = Iterator[tuple[Any, np.ndarray]]
"""Batch by batch: a place in the scores, as NumPy indexes it, and what belongs there."""


def score_all(matcher: JointMatcher, manifest: Manifest, reader: Reader, progress: Progress = silent) -> Scores:
    """Scores of every image of ``manifest`` with every caption.

    What the model reads of the captions apart, T × H numbers each, is in memory for all of them.

    Args:
        matcher: the joint model, in eval mode.
        manifest: the images and captions.
        reader: of the model.
        progress: gets the number of pairs of each batch.

    """
    ids = [image.id for image in manifest.images]
    captions = read_captions(matcher, [caption.text for caption in manifest.captions], reader)
    lengths = sorted({length for batch in captions for length in batch.lengths})

    def blocks() -> Batches:
        for start in range(0, len(ids), IMAGES_AT_ONCE):
            images = read_images(matcher, ids[start : start + IMAGES_AT_ONCE], lengths, reader)
            for batch in captions:
                found = score_block(matcher, images, batch, reader)
                yield (slice(start, start + len(found)), batch.rows), found

    scores = _filled((len(ids), len(manifest.captions)), blocks(), progress)
    return Scores(tuple(ids), tuple(caption.id for caption in manifest.captions), manifest.caption_image_index, scores)


def score_listed(
    matcher: JointMatcher,
    manifest: Manifest,
    pairs: Pairs,
    reader: Reader,
    progress: Progress = silent,
    batch_size: int = PAIRS_AT_ONCE,
) -> Float[np.ndarray, " P"]:
    """Scores of listed pairs, float32, in their order.

    Args:
        matcher: the joint model, in eval mode.
        manifest: the images and captions.
        pairs: image rows and caption rows (P,) of ``manifest``.
        reader: of the model.
        progress: gets the number of pairs of each batch.
        batch_size: pairs in one forward pass.

    Raises:
        InputError: a score is not finite; the message names the pair.

    """
    own_images, images = np.unique(pairs[0], return_inverse=True)
    own_captions, captions = np.unique(pairs[1], return_inverse=True)
    ids = [manifest.images[row].id for row in own_images.tolist()]
    text = reader.text
    pieces = text.words.encode([manifest.captions[row].text for row in own_captions.tolist()], text.most_tokens)
    scores = score_rows(matcher, ids, pieces, (images, captions), reader, progress, batch_size)
    wrong = np.flatnonzero(~np.isfinite(scores))
    if len(wrong):
        image, caption = manifest.images[pairs[0][wrong[0]]].id, manifest.captions[pairs[1][wrong[0]]].id
        raise InputError(f"image {image!r} with caption {caption!r}: its score is NaN or infinite; check model and store")
    return scores


def score_rows(
    matcher: JointMatcher,
    image_ids: Sequence[str],
    pieces: Sequence[Sequence[int]],
    pairs: Pairs,
    reader: Reader,
    progress: Progress = silent,
    batch_size: int = PAIRS_AT_ONCE,
) -> Float[np.ndarray, " P"]:
    """Scores of listed pairs, float32, in their order; they may be NaN or infinite.

    Args:
        matcher: the joint model, in eval mode.
        image_ids: the images.
        pieces: token numbers of each caption.
        pairs: rows (P,) of ``image_ids`` and of ``pieces``.
        reader: of the model.
        progress: gets the number of pairs of each batch.
        batch_size: pairs in one forward pass.

    """
    images, captions = pairs
    device = next(matcher.parameters()).device
    lengths = np.array([len(row) for row in pieces])
    order = np.lexsort((captions, images, lengths[captions]))

    def batches() -> Batches:
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            (own_images, seen), (own_captions, said) = (np.unique(of[rows], return_inverse=True) for of in (images, captions))
            visual = reader.visual.read([image_ids[image] for image in own_images.tolist()]).to(device)
            text = reader.text.pad([pieces[caption] for caption in own_captions.tolist()]).to(device)
            places = torch.from_numpy(said).to(device), torch.from_numpy(seen).to(device)
            with reader.inference():
                found = matcher.score(text, visual, places).float().cpu().numpy()
            yield rows, found

    return _filled((len(images),), batches(), progress)


def _filled(shape: tuple[int, ...], batches: Batches, progress: Progress) -> np.ndarray:
    scores = np.empty(shape, dtype=np.float32)
    for place, found in batches:
        scores[place] = found
        progress(found.size)
    return scores


@dataclass(frozen=True)
class ReadCaptions:
    """Captions as ``JointMatcher.read_text`` gives them; ``rows``: which of all they are; ``lengths``: tokens of each."""

    rows: np.ndarray
    lengths: list[int]
    states: HalfRead


def read_captions(matcher: JointMatcher, texts: list[str], reader: Reader) -> list[ReadCaptions]:
    """All captions, in batches of similar length, behind the layers that read them apart."""
    device = next(matcher.parameters()).device
    with reader.inference():
        return [
            ReadCaptions(rows, batch.lengths.tolist(), matcher.read_text(batch.to(device)))
            for rows, batch in text_batches(texts, reader.text, CAPTIONS_AT_ONCE)
        ]


def read_images(matcher: JointMatcher, ids: list[str], lengths: list[int], reader: Reader) -> dict[int, HalfRead]:
    """Images behind the layers that read them apart.

    Args:
        matcher: the joint model.
        ids: the images.
        lengths: of the captions that they will be paired with, tokens.
        reader: of the model.

    Returns:
        Length of a caption → images as ``JointMatcher.read_visual`` gives them behind captions of that length.

    """
    device = next(matcher.parameters()).device
    images, found, before = reader.visual.read(ids).to(device), dict[int, HalfRead](), None
    with reader.inference():
        for length in lengths[:1] if matcher.apart else lengths:
            mask = torch.ones(len(ids), length, dtype=torch.bool, device=device)
            after = TextInput(torch.zeros_like(mask, dtype=torch.long), mask)
            before = found[length] = matcher.read_visual(images, after, before)
    return dict.fromkeys(lengths, found[lengths[0]]) if matcher.apart else found


def score_block(
    matcher: JointMatcher, images: dict[int, HalfRead], captions: ReadCaptions, reader: Reader
) -> Float[np.ndarray, "images captions"]:
    """Scores of all combinations of these images and captions, in one pass.

    Args:
        matcher: the joint model.
        images: as ``read_images`` gives them.
        captions: a batch of ``read_captions``.
        reader: of the model.

    """
    lengths = sorted(set(captions.lengths))
    visual = HalfRead.stacked([images[length] for length in lengths])
    n_images, n_captions, device = len(images[lengths[0]].sequence.mask), len(captions.rows), visual.sequence.mask.device
    # Image-major: all captions with the first image, then with the second.
    caption_rows = torch.arange(n_captions, device=device).repeat(n_images)
    image_rows = torch.arange(n_images, device=device).repeat_interleave(n_captions)
    behind = torch.tensor([lengths.index(one) * n_images for one in captions.lengths], device=device)[caption_rows]
    with reader.inference():
        logits = matcher.match(captions.states.select(caption_rows), visual.select(behind + image_rows))
    return log_odds(logits.float()).cpu().numpy().reshape(n_images, n_captions)
