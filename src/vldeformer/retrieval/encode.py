"""Run models over a whole set: each caption and each image once (decomposed), or every pair of them (joint)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.batch import TextInput
from vldeformer.inputs.collate import TextReader, VisualReader
from vldeformer.models.backbone import Sequence
from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher, log_odds
from vldeformer.retrieval.embeddings import Embeddings, Scores
from vldeformer.runtime import RuntimeSettings, arithmetic

ENCODE_BATCH = 256
CAPTIONS_AT_ONCE, IMAGES_AT_ONCE = 64, 8

Progress = Callable[[int], object]


def silent(done: int) -> None:
    """No progress shown."""


def embed(
    encoder: DualEncoder,
    manifest: Manifest,
    text: TextReader,
    visual: VisualReader,
    runtime: RuntimeSettings,
    progress: Progress = silent,
    batch_size: int = ENCODE_BATCH,
) -> Embeddings:
    """Unit vectors of all images and captions of ``manifest``; ``progress`` is told how many items each batch had."""
    images = encode_images(encoder, [image.id for image in manifest.images], visual, runtime, progress, batch_size)
    captions = encode_captions(encoder, [caption.text for caption in manifest.captions], text, runtime, progress, batch_size)
    return Embeddings(
        tuple(image.id for image in manifest.images),
        images,
        tuple(caption.id for caption in manifest.captions),
        captions,
        manifest.caption_image_index,
    )


def encode_images(
    encoder: DualEncoder,
    ids: list[str],
    visual: VisualReader,
    runtime: RuntimeSettings,
    progress: Progress = silent,
    batch_size: int = ENCODE_BATCH,
) -> np.ndarray:
    """(N, D) float32 unit vectors in the order of ``ids``. Raises InputError naming an image whose vector is not finite."""
    batches = image_vectors(encoder, ids, visual, runtime, range(0, len(ids), batch_size), batch_size)
    return _filled(batches, len(ids), encoder.embedding_size, progress)


def encode_captions(
    encoder: DualEncoder,
    texts: list[str],
    text: TextReader,
    runtime: RuntimeSettings,
    progress: Progress = silent,
    batch_size: int = ENCODE_BATCH,
) -> np.ndarray:
    """(N, D) float32 unit vectors in the order of ``texts``; captions of one length share a batch, so little is padded.

    Raises InputError with the beginning of a caption whose vector is not finite.
    """
    batches = caption_vectors(encoder, texts, text, runtime, range(0, len(texts), batch_size), batch_size)
    return _filled(batches, len(texts), encoder.embedding_size, progress)


Vectors = Iterator[tuple[np.ndarray, np.ndarray]]
"""Batch by batch: rows (B,) and their vectors (B, D)."""


def image_vectors(
    encoder: DualEncoder, ids: list[str], visual: VisualReader, runtime: RuntimeSettings, starts: Iterable[int], batch_size: int
) -> Vectors:
    """Of the batches that begin at the rows ``starts``."""
    device = next(encoder.parameters()).device
    for start in starts:
        rows = np.arange(start, min(start + batch_size, len(ids)))
        batch = visual.read(ids[start : start + batch_size]).to(device)
        with torch.inference_mode(), arithmetic(runtime):
            vectors = encoder.encode_visual(batch).float().cpu().numpy()
        _check_finite("image", ids, rows, vectors, "the model and the store")
        yield rows, vectors


def caption_vectors(
    encoder: DualEncoder, texts: list[str], text: TextReader, runtime: RuntimeSettings, starts: Iterable[int], batch_size: int
) -> Vectors:
    """The same for captions, whose batches are of similar length."""
    device = next(encoder.parameters()).device
    for rows, batch in text_batches(texts, text, batch_size, starts):
        with torch.inference_mode(), arithmetic(runtime):
            vectors = encoder.encode_text(batch.to(device)).float().cpu().numpy()
        _check_finite("caption", texts, rows, vectors, "the model")
        yield rows, vectors


def _filled(batches: Vectors, number: int, width: int, progress: Progress) -> np.ndarray:
    whole = np.empty((number, width), dtype=np.float32)
    for rows, vectors in batches:
        whole[rows] = vectors
        progress(len(rows))
    return whole


def _check_finite(what: str, names: list[str], rows: np.ndarray, vectors: np.ndarray, suspects: str) -> None:
    wrong = rows[~np.isfinite(vectors).all(axis=1)]
    if len(wrong):
        name = names[wrong.min()]
        begun = name if len(name) <= 80 else f"{name[:80]}…"
        raise InputError(f"{what} {begun!r}: its vector holds NaN or infinity; check {suspects}")


def text_batches(
    texts: list[str], text: TextReader, size: int, starts: Iterable[int] | None = None
) -> Iterator[tuple[np.ndarray, TextInput]]:
    """Batches of captions of similar length, with their rows; ``starts``: only those that begin there in the order of length."""
    pieces = text.words.encode(texts, text.most_tokens)
    order = np.argsort([len(row) for row in pieces], kind="stable")
    for start in range(0, len(order), size) if starts is None else starts:
        rows = order[start : start + size]
        yield rows, text.pad([pieces[row] for row in rows])


def score_pairs(
    matcher: JointMatcher,
    manifest: Manifest,
    text: TextReader,
    visual: VisualReader,
    runtime: RuntimeSettings,
    progress: Progress = silent,
) -> Scores:
    """Joint scores of every image with every caption of ``manifest``; ``progress`` is told how many pairs each batch had.

    The layers that read captions and images apart run once an item; what they give of the captions, T × H numbers each, is kept
    for all of them.
    """
    ids = [image.id for image in manifest.images]
    scores = np.empty((len(ids), len(manifest.captions)), dtype=np.float32)
    captions = read_captions(matcher, [caption.text for caption in manifest.captions], text, runtime)
    lengths = sorted({length for batch in captions for length in batch.lengths})
    for start in range(0, len(ids), IMAGES_AT_ONCE):
        images = read_images(matcher, ids[start : start + IMAGES_AT_ONCE], lengths, visual, runtime)
        for batch in captions:
            found = score_block(matcher, images, batch, runtime)
            scores[start : start + len(found), batch.rows] = found
            progress(found.size)
    return Scores(tuple(ids), tuple(caption.id for caption in manifest.captions), manifest.caption_image_index, scores)


@dataclass(frozen=True)
class ReadCaptions:
    """Captions as ``JointMatcher.read_text`` gives them; ``rows``: which of all they are; ``lengths``: tokens of each."""

    rows: np.ndarray
    lengths: list[int]
    states: Sequence


def read_captions(matcher: JointMatcher, texts: list[str], text: TextReader, runtime: RuntimeSettings) -> list[ReadCaptions]:
    """All captions, in batches of similar length, behind the layers that read them apart."""
    device = next(matcher.parameters()).device
    with torch.inference_mode(), arithmetic(runtime):
        return [
            ReadCaptions(rows, batch.lengths.tolist(), matcher.read_text(batch.to(device)))
            for rows, batch in text_batches(texts, text, CAPTIONS_AT_ONCE)
        ]


def read_images(
    matcher: JointMatcher, ids: list[str], lengths: list[int], visual: VisualReader, runtime: RuntimeSettings
) -> dict[int, Sequence]:
    """Length of a caption → images as ``JointMatcher.read_visual`` gives them behind captions of that length."""
    device = next(matcher.parameters()).device
    images, found = visual.read(ids).to(device), {}
    with torch.inference_mode(), arithmetic(runtime):
        for length in lengths[:1] if matcher.apart else lengths:
            mask = torch.ones(len(ids), length, dtype=torch.bool, device=device)
            found[length] = matcher.read_visual(images, after=TextInput(torch.zeros_like(mask, dtype=torch.long), mask))
    return dict.fromkeys(lengths, found[lengths[0]]) if matcher.apart else found


def score_block(
    matcher: JointMatcher, images: dict[int, Sequence], captions: ReadCaptions, runtime: RuntimeSettings
) -> Float[np.ndarray, "images captions"]:
    """Scores of all combinations of these images and captions, in one pass."""
    lengths = sorted(set(captions.lengths))
    visual = Sequence(torch.cat([images[one].states for one in lengths]), torch.cat([images[one].mask for one in lengths]))
    n_images, n_captions, device = len(visual.mask) // len(lengths), len(captions.rows), visual.mask.device
    # Image-major: all captions with the first image, then with the second.
    caption_rows = torch.arange(n_captions, device=device).repeat(n_images)
    image_rows = torch.arange(n_images, device=device).repeat_interleave(n_captions)
    behind = torch.tensor([lengths.index(one) * n_images for one in captions.lengths], device=device)[caption_rows]
    with torch.inference_mode(), arithmetic(runtime):
        logits = matcher.match(captions.states.select(caption_rows), visual.select(behind + image_rows))
    return log_odds(logits.float()).cpu().numpy().reshape(n_images, n_captions)
