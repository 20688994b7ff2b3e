"""A query → the answer that is sent: images with their addresses, and how long each step took.

Vectors, scores and order are those of ``SearchIndex``: a query is read and compared alone, so its answer is to the bit that of
`vldeformer search`.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from torch import Tensor

from vldeformer.errors import InputError
from vldeformer.inputs.in_memory import InMemoryImage
from vldeformer.search.index import Hit, SearchIndex
from vldeformer.search.photograph_vectors import encode_tensors
from vldeformer.serve.messages import Answer, FoundImage, Times
from vldeformer.serve.refusal import RefusedError

LOG = logging.getLogger("vldeformer.serve")


@dataclass(frozen=True)
class Found:
    """Hits of a query, what of it was not read, and seconds of each step.

    encode: None of an image of the index, whose vector is there; rerank: None if no joint model was asked.
    """

    hits: Sequence[Hit]
    note: str | None
    encode: float | None
    search: float
    rerank: float | None = None


def by_text(index: SearchIndex, text: str, k: int) -> Found:
    """Raises InputError if the text is empty, RefusedError if the index cannot be searched now."""
    started = time.perf_counter()
    vector = index.encode_text(text)
    encoded = time.perf_counter()
    with _searchable_now():
        hits = index.search_vector(vector, k)
    searched = time.perf_counter()
    return Found(hits, index.unread(text), encoded - started, searched - encoded)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A photograph as the model reads it, a few MB whatever its own size, and the seconds that this took."""

    tensor: Tensor
    seconds: float


def prepared(index: SearchIndex, image: InMemoryImage) -> Prepared:
    """Raises InputError if the model cannot read the image."""
    started = time.perf_counter()
    tensor = index.encoder.transform(image)
    return Prepared(tensor, time.perf_counter() - started)


def by_image(index: SearchIndex, image: Prepared, k: int) -> Found:
    """Its encoding counts from the decoded photograph on, as that of a text from its words on. Raises as ``by_id`` does."""
    started = time.perf_counter()
    vector = encode_tensors(index.encoder, [image.tensor], ("query",))[0]
    encoded = time.perf_counter()
    with _searchable_now():
        hits = index.search_vector(vector, k)
    return Found(hits, None, image.seconds + encoded - started, time.perf_counter() - encoded)


def by_id(index: SearchIndex, image_id: str, k: int) -> Found:
    """Of an image that is in the index. Raises RefusedError if the index cannot be searched now."""
    started = time.perf_counter()
    with _searchable_now():
        hits = index.similar(image_id, k)
    return Found(hits, None, None, time.perf_counter() - started)


@contextlib.contextmanager
def _searchable_now() -> Iterator[None]:
    """What fails once the query is read is no fault of whoever asked, and its line names a path: that is for the log."""
    try:
        yield
    except InputError as error:
        LOG.warning("a search failed: %s", error)
        raise RefusedError(503, "the index or its images cannot be read now; the server's log says what") from None


def reranked(found: Found, rerank: Callable[[Sequence[Hit]], Sequence[Hit]], candidates: int, k: int) -> Found:
    """The best ``candidates`` in the order of ``rerank``, those behind them as they were; the first k of all."""
    started = time.perf_counter()
    first = rerank(found.hits[:candidates])
    hits = [*first, *found.hits[candidates:]][:k]
    return Found(hits, found.note, found.encode, found.search, time.perf_counter() - started)


def written(query: str, found: Found, total: float, joint_all: float | None) -> bytes:
    """The answer as JSON. total, joint_all: seconds."""
    hits = [
        FoundImage(
            rank=rank,
            id=hit.id,
            score=hit.score,
            joint=hit.joint,
            image=f"/image/{quote(hit.id)}",
            thumb=f"/thumb/{quote(hit.id)}",
        )
        for rank, hit in enumerate(found.hits, start=1)
    ]
    times = Times(encode=_ms(found.encode), search=_ms(found.search), rerank=_ms(found.rerank), total=_ms(total))
    answer = Answer(query=query, hits=hits, note=found.note, times_ms=times, joint_all_ms=_ms(joint_all))
    return answer.model_dump_json().encode()


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1e3 * seconds, 3)
