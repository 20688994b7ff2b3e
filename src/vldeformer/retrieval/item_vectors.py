"""Vectors of a whole set by a decomposed model, which runs once for each image and each caption."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from vldeformer.data.manifest import Manifest
from vldeformer.errors import InputError
from vldeformer.inputs.batch import TextInput
from vldeformer.inputs.collate import TextReader
from vldeformer.models.dual import DualEncoder
from vldeformer.retrieval.embeddings import Embeddings
from vldeformer.retrieval.reader import Reader

ENCODE_BATCH = 256

Progress = Callable[[int], object]
"""Called after each batch with the number of its items or pairs."""

Vectors = Iterator[tuple[np.ndarray, np.ndarray]]
"""Batch by batch: rows (B,) and their vectors (B, D)."""


def silent(done: int) -> None:
    """No progress shown."""


def embed(
    encoder: DualEncoder, manifest: Manifest, reader: Reader, progress: Progress = silent, batch_size: int = ENCODE_BATCH
) -> Embeddings:
    """Unit vectors of all images and captions of ``manifest``.

    Args:
        encoder: the decomposed model, in eval mode.
        manifest: the images and captions.
        reader: of the model.
        progress: gets the number of items of each batch.
        batch_size: items in one forward pass.

    Raises:
        InputError: a vector is not finite; the message names its image or caption.

    """
    images = encode_images(encoder, [image.id for image in manifest.images], reader, progress, batch_size)
    captions = encode_captions(encoder, [caption.text for caption in manifest.captions], reader, progress, batch_size)
    return Embeddings(
        tuple(image.id for image in manifest.images),
        images,
        tuple(caption.id for caption in manifest.captions),
        captions,
        manifest.caption_image_index,
    )


def encode_images(
    encoder: DualEncoder, ids: list[str], reader: Reader, progress: Progress = silent, batch_size: int = ENCODE_BATCH
) -> np.ndarray:
    """(N, D) float32 unit vectors in the order of ``ids``; arguments and errors as in ``embed``."""
    batches = image_vectors(encoder, ids, reader, range(0, len(ids), batch_size), batch_size)
    return _filled(batches, len(ids), encoder.embedding_size, progress)


def encode_captions(
    encoder: DualEncoder, texts: list[str], reader: Reader, progress: Progress = silent, batch_size: int = ENCODE_BATCH
) -> np.ndarray:
    """(N, D) float32 unit vectors in the order of ``texts``; arguments and errors as in ``embed``.

    Captions of one length share a batch, so that little is padded.
    """
    batches = caption_vectors(encoder, texts, reader, range(0, len(texts), batch_size), batch_size)
    return _filled(batches, len(texts), encoder.embedding_size, progress)


def image_vectors(encoder: DualEncoder, ids: list[str], reader: Reader, starts: Iterable[int], batch_size: int) -> Vectors:
    """Vectors of some batches of images.

    Args:
        encoder: the decomposed model.
        ids: all images.
        reader: of the model.
        starts: first row of each batch that is wanted.
        batch_size: rows of a batch.

    Raises:
        InputError: a vector is not finite.

    """
    device = next(encoder.parameters()).device
    for start in starts:
        rows = np.arange(start, min(start + batch_size, len(ids)))
        batch = reader.visual.read(ids[start : start + batch_size]).to(device)
        with reader.inference():
            vectors = encoder.encode_visual(batch).float().cpu().numpy()
        _check_finite("image", ids, rows, vectors, "the model and the store")
        yield rows, vectors


def caption_vectors(encoder: DualEncoder, texts: list[str], reader: Reader, starts: Iterable[int], batch_size: int) -> Vectors:
    """The same for captions: ``starts`` counts in the order of their length."""
    device = next(encoder.parameters()).device
    for rows, batch in text_batches(texts, reader.text, batch_size, starts):
        with reader.inference():
            vectors = encoder.encode_text(batch.to(device)).float().cpu().numpy()
        _check_finite("caption", texts, rows, vectors, "the model")
        yield rows, vectors


def text_batches(
    texts: list[str], text: TextReader, size: int, starts: Iterable[int] | None = None
) -> Iterator[tuple[np.ndarray, TextInput]]:
    """Batches of captions of similar length, each with the rows of its captions.

    Args:
        texts: all captions.
        text: how they are read.
        size: captions of a batch.
        starts: where a wanted batch begins in the order of length; None: all batches.

    """
    pieces = text.words.encode(texts, text.most_tokens)
    order = np.argsort([len(row) for row in pieces], kind="stable")
    for start in range(0, len(order), size) if starts is None else starts:
        rows = order[start : start + size]
        yield rows, text.pad([pieces[row] for row in rows])


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
