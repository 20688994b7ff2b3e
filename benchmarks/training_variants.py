"""Other ways to make our training step, which `training_step.py` measures beside it. Each is a context in which they hold.

All but the first change the bits of what is trained, so they are not taken without a reason that the page of benchmarks gives.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch

from vldeformer.inputs.batch import PairBatch
from vldeformer.inputs.streams import Prefetcher
from vldeformer.models import fast_layers, packed
from vldeformer.models.dual import DualEncoder, PairVectors

CHOSEN = fast_layers.onednn_is_faster()
"""Whether linear layers are by oneDNN on this processor."""


@contextlib.contextmanager
def read_when_wanted() -> Iterator[None]:
    """No batch is read ahead."""
    with mock.patch.object(Prefetcher, "batch", lambda self, step: self.stream.batch(step)):
        yield


@contextlib.contextmanager
def eight_buckets() -> Iterator[None]:
    """Twice as many parts by length."""
    with mock.patch.object(packed, "MOST_BUCKETS", 8):
        yield


@contextlib.contextmanager
def no_buckets() -> Iterator[None]:
    """All rows padded to the longest of the batch."""
    with mock.patch.object(packed, "MOST_BUCKETS", 1):
        yield


@contextlib.contextmanager
def negatives_in_the_same_pass() -> Iterator[None]:
    """Captions and composed captions are sorted by length together, as are images and composed images."""

    def forward(self: DualEncoder, batch: PairBatch) -> PairVectors:
        assert batch.hard_text is not None and batch.hard_visual is not None
        texts, visuals = (_joined(*two) for two in ((batch.text, batch.hard_text), (batch.visual, batch.hard_visual)))
        captions, hard_captions = self.encode_text(texts).split(len(batch))
        images, hard_images = self.encode_visual(visuals).split(len(batch))
        return PairVectors(captions, images, hard_captions, hard_images, self.temperature)

    with mock.patch.object(DualEncoder, "forward", forward):
        yield


@contextlib.contextmanager
def bfloat16() -> Iterator[None]:
    """Matrix products in bfloat16, as `runtime.precision` has them; weights stay float32."""
    plain = DualEncoder.forward

    def forward(self: DualEncoder, batch: PairBatch) -> PairVectors:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return plain(self, batch)

    with mock.patch.object(DualEncoder, "forward", forward):
        yield


@contextlib.contextmanager
def other_linear() -> Iterator[None]:
    """Linear layers by the library that is not chosen on this processor."""
    with mock.patch.object(fast_layers, "onednn_is_faster", lambda: not CHOSEN):
        yield


@contextlib.contextmanager
def two_threads() -> Iterator[None]:
    """Two threads of torch instead of one."""
    torch.set_num_threads(2)
    try:
        yield
    finally:
        torch.set_num_threads(1)


def _joined(one: Any, other: Any) -> Any:
    """The rows of both groups, padded to the longer of the two."""

    def rows(name: str) -> torch.Tensor:
        tensors = getattr(one, name), getattr(other, name)
        width = max(tensor.shape[1] for tensor in tensors)
        padded = []
        for tensor in tensors:
            room = tensor.new_zeros((len(tensor), width - tensor.shape[1], *tensor.shape[2:]))
            padded.append(torch.cat([tensor, room], 1))
        return torch.cat(padded)

    return type(one)(**{name: rows(name) for name in vars(one)})


VARIANTS: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
    "no batch read ahead": read_when_wanted,
    "one bucket": no_buckets,
    "eight buckets": eight_buckets,
    "negatives in the same pass": negatives_in_the_same_pass,
    "two threads": two_threads,
    f"linear layers by {'PyTorch' if CHOSEN else 'oneDNN'}": other_linear,
    "bfloat16": bfloat16,
}
