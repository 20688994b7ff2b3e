"""The joint model of the server: it orders what was found, and says what reading every image would take."""

import functools
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.inputs.given import GivenImage
from vldeformer.retrieval.encode import read_captions, read_images, score_block
from vldeformer.search.images import ImageSource
from vldeformer.search.index import Hit, SearchIndex
from vldeformer.search.joint import JointReranker

TRIED, TURNS = 100, 3
MEASURED_WITH = "two dogs play with a red ball in the snow"


class ServedJoint:
    """A joint model beside an index. ``pair_seconds``: what one image costs it for one query, as measured when it was loaded."""

    def __init__(self, model: str | Path, index: SearchIndex, candidates: int) -> None:
        """Raises InputError if there is no such model, if it has no matching head, or if it cannot read the index's images."""
        self.reranker = JointReranker(model, index.images, index.encoder.transform.detector)
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
    images = _readable(index, candidates)
    if not images:
        return 0.0
    ids, visual = [str(row) for row in range(len(images))], reranker.transform.reader(images, full=False)
    captions = read_captions(reranker.matcher, [MEASURED_WITH], reranker.text, reranker.runtime)
    read = read_images(reranker.matcher, ids, captions[0].lengths, visual, reranker.runtime)
    score = functools.partial(score_block, reranker.matcher, read, captions[0], reranker.runtime)
    seconds = []
    for _ in range(1 + TURNS):
        started = time.perf_counter()
        score()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:]) / len(images)


def _readable(index: SearchIndex, number: int) -> list[GivenImage]:
    """The first images of the index that can be read. Raises InputError if there are some and none of the first can."""
    found, problem, tried = list[GivenImage](), None, 0
    for ids, _ in index.parts():
        for name in ids:
            if len(found) == number or tried == TRIED:
                break
            tried += 1
            try:
                found.append(index.images[name])
            except (InputError, OSError) as error:
                problem = error
    if problem is not None and not found:
        raise InputError(f"{problem}; a joint model reads the images themselves")
    return found
