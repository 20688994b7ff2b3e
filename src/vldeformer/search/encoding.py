"""Images → unit vectors for an index: opened and prepared by threads, one batch ahead of the model.

An image becomes what the model reads as soon as it is decoded, so that no more than two batches are in memory, and those not as
photographs of their own size.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from vldeformer.data.photographs import THREADS
from vldeformer.errors import InputError
from vldeformer.inputs.given import GivenImage
from vldeformer.retrieval.encode import Progress
from vldeformer.retrieval.encoder import Encoder
from vldeformer.retrieval.vectors import check_vectors
from vldeformer.search.images import ImageSource, Listed

BATCH = 32


def encode_listed(
    encoder: Encoder, source: ImageSource, listed: Sequence[Listed], progress: Progress
) -> tuple[list[Listed], np.ndarray, list[Listed]]:
    """Images that could be read, their (n, D) float32 unit vectors, and those that could not, with the problem.

    A function of ``listed`` and of the files, whatever was encoded before. ``progress`` is told how many were dealt with.
    """
    read, skipped, vectors = list[Listed](), list[Listed](), [np.empty((0, encoder.model.embedding_size), np.float32)]
    for batch, prepared in _prepared(encoder, source, listed):
        good = [(one, tensor) for one, tensor in zip(batch, prepared, strict=True) if isinstance(tensor, Tensor)]
        skipped += [replace(one, problem=tensor) for one, tensor in zip(batch, prepared, strict=True) if isinstance(tensor, str)]
        if good:
            vectors.append(encode_tensors(encoder, [tensor for _, tensor in good], tuple(one.id for one, _ in good)))
            read += [one for one, _ in good]
        progress(len(batch))
    return read, np.concatenate(vectors), skipped


def encode_alone(encoder: Encoder, image: GivenImage) -> np.ndarray:
    """(D,) float32: one image in a batch of its own. Raises InputError if the model cannot read it."""
    vector: np.ndarray = encode_tensors(encoder, [encoder.transform(image)], ("query",))[0]
    return vector


def encode_tensors(encoder: Encoder, tensors: Sequence[Tensor], ids: tuple[str, ...]) -> np.ndarray:
    """(n, D) float32 of prepared images. Raises InputError naming the id of a vector that is not finite or of unit length."""
    vectors: np.ndarray = encoder.encode_image(torch.stack(list(tensors))).cpu().numpy()
    check_vectors("images", vectors, ids)
    return vectors


def _prepared(
    encoder: Encoder, source: ImageSource, listed: Sequence[Listed]
) -> Iterator[tuple[Sequence[Listed], list[Tensor | str]]]:
    """Batches, with the tensor of each image or the problem with it."""

    def prepare(one: Listed) -> Tensor | str:
        if one.problem is not None:
            return one.problem
        try:
            return encoder.transform(source[one.id])
        except InputError as error:
            return str(error).removeprefix(f"{source.path(one.id)}: ")
        except OSError as error:  # the file went, or may not be read
            return error.strerror or str(error)

    batches = [listed[start : start + BATCH] for start in range(0, len(listed), BATCH)]
    with ThreadPoolExecutor(THREADS) as pool:
        ahead: list[Future[Tensor | str]] = []
        for number, batch in enumerate(batches):
            now = ahead or [pool.submit(prepare, one) for one in batch]
            ahead = [pool.submit(prepare, one) for one in batches[number + 1]] if number + 1 < len(batches) else []
            yield batch, [future.result() for future in now]
