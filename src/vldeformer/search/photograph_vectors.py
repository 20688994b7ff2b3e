"""Images → unit vectors for an index: opened and prepared by threads, one batch ahead of the model.

An image becomes what the model reads as soon as it is decoded, so that no more than two batches are in memory, and those not as
photographs of their own size.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vldeformer.data.photographs import THREADS, UnavailableError
from vldeformer.encoder import Encoder
from vldeformer.errors import InputError
from vldeformer.inputs.in_memory import InMemoryImage
from vldeformer.retrieval.item_vectors import Progress
from vldeformer.retrieval.vectors import check_vectors
from vldeformer.search.images import ImageSource, Listed

BATCH = 32


@dataclass(frozen=True, eq=False)
class Encoded:
    """Images that could be read and their (n, D) float32 unit vectors; those that could not, with the problem.

    damaged: the file is no picture; failed: the system did not hand it over, so that another time it may.
    """

    read: list[Listed]
    vectors: np.ndarray
    damaged: list[Listed]
    failed: list[Listed]


def encode_listed(encoder: Encoder, source: ImageSource, listed: Sequence[Listed], progress: Progress) -> Encoded:
    """A function of ``listed`` and of the files, whatever was encoded before. ``progress`` is told how many were dealt with."""
    found = Encoded([], np.empty((0, encoder.model.embedding_size), np.float32), [], [])
    vectors = [found.vectors]
    for batch, prepared in _prepared(encoder, source, listed):
        good = [(one, tensor) for one, tensor in zip(batch, prepared, strict=True) if isinstance(tensor, Tensor)]
        for one, problem in zip(batch, prepared, strict=True):
            if isinstance(problem, _Problem):
                (found.failed if problem.passing else found.damaged).append(replace(one, problem=problem.text))
        if good:
            vectors.append(encode_tensors(encoder, [tensor for _, tensor in good], tuple(one.id for one, _ in good)))
            found.read.extend(one for one, _ in good)
        progress(len(batch))
    return replace(found, vectors=np.concatenate(vectors))


def encode_alone(encoder: Encoder, image: InMemoryImage) -> np.ndarray:
    """(D,) float32: one image in a batch of its own. Raises InputError if the model cannot read it."""
    vector: np.ndarray = encode_tensors(encoder, [encoder.transform(image)], ("query",))[0]
    return vector


def encode_tensors(encoder: Encoder, tensors: Sequence[Tensor], ids: tuple[str, ...]) -> np.ndarray:
    """(n, D) float32 of prepared images. Raises InputError naming the id of a vector that is not finite or of unit length."""
    vectors: np.ndarray = encoder.encode_image(torch.stack(list(tensors))).cpu().numpy()
    check_vectors("images", vectors, ids)
    return vectors


@dataclass(frozen=True)
class _Problem:
    text: str
    passing: bool = False


def _prepared(
    encoder: Encoder, source: ImageSource, listed: Sequence[Listed]
) -> Iterator[tuple[Sequence[Listed], list[Tensor | _Problem]]]:
    """Batches, with the tensor of each image or the problem with it."""

    def prepare(one: Listed) -> Tensor | _Problem:
        if one.problem is not None:
            return _Problem(one.problem)
        try:
            return encoder.transform(source[one.id])
        except InputError as error:
            text = str(error).removeprefix(f"{source.path(one.id)}: ")
            return _Problem(text, isinstance(error, UnavailableError))
        except OSError as error:
            return _Problem(error.strerror or str(error), passing=True)

    batches = [listed[start : start + BATCH] for start in range(0, len(listed), BATCH)]
    with ThreadPoolExecutor(THREADS) as pool:
        ahead: list[Future[Tensor | _Problem]] = []
        for number, batch in enumerate(batches):
            now = ahead or [pool.submit(prepare, one) for one in batch]
            ahead = [pool.submit(prepare, one) for one in batches[number + 1]] if number + 1 < len(batches) else []
            yield batch, [future.result() for future in now]
