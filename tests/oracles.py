"""Slow answers by plain loops that the fast code must equal."""

import itertools
import math
import re
from collections.abc import Collection, Sequence

import numpy as np


def rank(scores: Sequence[float], right: Collection[int]) -> int:
    """1 + the number of wrong candidates that score at least as high as the best right one."""
    best = max(scores[candidate] for candidate in right)
    wrong = [candidate for candidate in range(len(scores)) if candidate not in right]
    return 1 + sum(1 for candidate in wrong if scores[candidate] >= best)


def ranks(
    scores: np.ndarray, right_captions: Sequence[Collection[int]], right_images: Sequence[Collection[int]]
) -> tuple[list[int], list[int]]:
    """Ranks of every image's best right caption and of every caption's best right image; scores are images x captions."""
    table = scores.tolist()
    columns = [list(column) for column in zip(*table, strict=True)]
    i2t = [rank(row, right) for row, right in zip(table, right_captions, strict=True)]
    t2i = [rank(column, right) for column, right in zip(columns, right_images, strict=True)]
    return i2t, t2i


def right_sets(caption_image_index: Sequence[int], n_images: int) -> tuple[list[set[int]], list[set[int]]]:
    """Right captions of each image and right image of each caption."""
    right_captions: list[set[int]] = [set() for _ in range(n_images)]
    for caption, image in enumerate(caption_image_index):
        right_captions[image].add(caption)
    return right_captions, [{image} for image in caption_image_index]


def cosine_table(images: np.ndarray, captions: np.ndarray) -> np.ndarray:
    """Every pair's product, one pair at a time, in float64 from the float32 numbers."""
    table = np.empty((len(images), len(captions)))
    for row, image in enumerate(images.tolist()):
        for column, caption in enumerate(captions.tolist()):
            table[row, column] = sum(a * b for a, b in zip(image, caption, strict=True))
    return table


def recall_at(ranks_of_queries: Sequence[int], cutoff: int) -> float:
    """Percent of the queries whose rank is within the cutoff."""
    return 100 * sum(1 for one in ranks_of_queries if one <= cutoff) / len(ranks_of_queries)


def precisions(scores: Sequence[float], right: Collection[int], total: int) -> tuple[float, float]:
    """R-Precision and mAP@R of one query with ``total`` right items; of equal scores the wrong ones stand first."""
    ordered = sorted(range(len(scores)), key=lambda item: (-scores[item], item in right))
    found, summed = 0, 0.0
    for place, item in enumerate(ordered[:total], start=1):
        if item in right:
            found += 1
            summed += found / place
    return found / total, summed / total


def resampled_queries(
    i2t: Sequence[int], t2i: Sequence[int], caption_image_index: Sequence[int], times_drawn: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Ranks of the queries of one resample: an image drawn twice brings its own query and all its captions' queries twice."""
    images, captions = [], []
    for image, times in enumerate(times_drawn):
        for _ in range(times):
            images.append(i2t[image])
            captions += [t2i[caption] for caption, its_image in enumerate(caption_image_index) if its_image == image]
    return images, captions


def tf_idf_cosine(one, other, known):
    """Cosine of TF-IDF vectors, words and two in a row: (1 + log count) × (1 + log((1 + texts) / (1 + texts with it)))."""

    def terms(text):
        words = re.findall(r"\b\w\w+\b", text)
        return words + [f"{one} {two}" for one, two in itertools.pairwise(words)]

    texts = [set(terms(text)) for text in known]

    def vector(text):
        words = terms(text)
        rare = {word: 1 + math.log((1 + len(texts)) / (1 + sum(word in own for own in texts))) for word in set().union(*texts)}
        return {word: (1 + math.log(words.count(word))) * rare[word] for word in set(words) & rare.keys()}

    a, b = vector(one), vector(other)
    lengths = [math.sqrt(sum(value**2 for value in side.values())) for side in (a, b)]
    return sum(a[word] * b[word] for word in a.keys() & b.keys()) / (lengths[0] * lengths[1]) if all(lengths) else 0.0
