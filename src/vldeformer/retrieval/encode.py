"""Run models over a whole set: each caption and each image once (decomposed), or every pair of them (joint)."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.batch import TextInput
from vldeformer.inputs.collate import TextReader, VisualReader
from vldeformer.models.dual import DualEncoder
from vldeformer.models.joint import JointMatcher
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
    device = next(encoder.parameters()).device
    vectors = np.empty((len(ids), encoder.backbone.hidden_size), dtype=np.float32)
    for start in range(0, len(ids), batch_size):
        batch = visual.read(ids[start : start + batch_size]).to(device)
        with torch.inference_mode(), arithmetic(runtime):
            vectors[start : start + len(batch)] = encoder.encode_visual(batch).float().cpu().numpy()
        progress(len(batch))
    _check_finite("image", ids, vectors, "the model and the store")
    return vectors


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
    device = next(encoder.parameters()).device
    vectors = np.empty((len(texts), encoder.backbone.hidden_size), dtype=np.float32)
    for rows, batch in text_batches(texts, text, batch_size):
        with torch.inference_mode(), arithmetic(runtime):
            vectors[rows] = encoder.encode_text(batch.to(device)).float().cpu().numpy()
        progress(len(rows))
    _check_finite("caption", texts, vectors, "the model")
    return vectors


def _check_finite(what: str, names: list[str], vectors: np.ndarray, suspects: str) -> None:
    wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(wrong):
        name = names[wrong[0]]
        begun = name if len(name) <= 80 else f"{name[:80]}…"
        raise InputError(f"{what} {begun!r}: its vector holds NaN or infinity; check {suspects}")


def text_batches(texts: list[str], text: TextReader, size: int) -> Iterator[tuple[np.ndarray, TextInput]]:
    """Batches of captions of similar length, with their rows."""
    pieces = text.words.encode(texts, text.most_tokens)
    order = np.argsort([len(row) for row in pieces], kind="stable")
    for start in range(0, len(order), size):
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
    """Joint scores of every image with every caption of ``manifest``; ``progress`` is told how many pairs each batch had."""
    device = next(matcher.parameters()).device
    ids = [image.id for image in manifest.images]
    scores = np.empty((len(ids), len(manifest.captions)), dtype=np.float32)
    batches = list(text_batches([caption.text for caption in manifest.captions], text, CAPTIONS_AT_ONCE))
    for start in range(0, len(ids), IMAGES_AT_ONCE):
        images = visual.read(ids[start : start + IMAGES_AT_ONCE])
        for rows, captions in batches:
            # All combinations of these images and captions in one pass: image-major rows.
            image_rows = torch.arange(len(images)).repeat_interleave(len(rows))
            caption_rows = torch.arange(len(rows)).repeat(len(images))
            with torch.inference_mode(), arithmetic(runtime):
                pair_scores = matcher.score(captions.select(caption_rows).to(device), images.select(image_rows).to(device))
            scores[start : start + len(images), rows] = pair_scores.float().cpu().numpy().reshape(len(images), len(rows))
            progress(len(caption_rows))
    return Scores(tuple(ids), tuple(caption.id for caption in manifest.captions), manifest.caption_image_index, scores)
