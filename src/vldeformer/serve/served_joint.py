"""The joint model of the server: it orders what was found, and says what reading every image would take."""

import itertools
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from vldeformer.errors import InputError
from vldeformer.search.images import ImageSource
from vldeformer.search.index import Hit, SearchIndex
from vldeformer.search.joint_reranker import JointReranker

TRIED, TURNS = 100, 3
MEASURED_WITH = "two dogs play with a red ball in the snow"


class ServedJoint:
    """A joint model beside an index. ``pair_seconds``: what one image costs it for one query, as measured when it was loaded."""

    def __init__(self, model: str | Path, index: SearchIndex, candidates: int) -> None:
        """Raises InputError if there is no such model, if it has no matching head, or if it cannot read the index's images."""
        self.reranker = JointReranker(model, index.images, index.encoder.transform.extractor)
        self.pair_seconds = _pair_seconds(self.reranker, index, candidates)

    def rerank(self, text: str, hits: Sequence[Hit], images: ImageSource) -> list[Hit]:
        """The same hits, best first. Raises InputError or OSError if a photograph cannot be read now."""
        self.reranker.images = images
        return self.reranker(text, hits)

    def all_seconds(self, images: int) -> float:
        """What the joint model would take to read one query with so many images."""
        return images * self.pair_seconds


def _pair_seconds(reranker: JointReranker, index: SearchIndex, candidates: int) -> float:
    """Median of three passes over the first images in one batch, after one that does not count.

    The images are decoded and prepared before, as nothing else would be fair: the decomposed model reads no photograph either.
    """
    images = _readable(reranker, index, candidates)
    if not images:
        return 0.0
    matcher, reader, seconds = reranker.matcher, reranker.transform.reader([]), list[float]()
    text, visual = reader.text.read([MEASURED_WITH] * len(images)), reranker.transform.unpack(torch.stack(images)).trimmed()
    with reader.inference():
        said, seen = matcher.read_text(text), matcher.read_visual(visual, after=text)
        for _ in range(1 + TURNS):
            started = time.perf_counter()
            matcher.match(said, seen)
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:]) / len(images)


def _readable(reranker: JointReranker, index: SearchIndex, number: int) -> list[Tensor]:
    """The first images that can be read, of the first hundred of the index, as the joint model reads them.

    One after the other: a hundred photographs of their own size would fill the memory. Raises InputError if there are some and
    none of the first hundred can be read.
    """
    found, problem = list[Tensor](), None
    names = (name for ids, _ in index.parts() for name in ids)
    for name in itertools.islice(names, TRIED):
        try:
            found.append(reranker.transform(index.images[name]))
        except (InputError, OSError) as error:
            problem = error
        if len(found) == number:
            break
    if problem is not None and not found:
        raise InputError(f"{problem}; a joint model reads the images themselves")
    return found
