"""How well a reader who never sees an image tells composed captions from true ones: at best not at all, 50 %.

A negative that can be told by its words teaches a model nothing about images.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from vldeformer.data.records import Caption
from vldeformer.negatives.composer import sample_pairs
from vldeformer.negatives.hard_texts import ComposedText

FOLDS = 2
BLIND_PAIRS = 4000
"""Captions with a negative, of each kind, that a blind reader learns and is judged on."""
READERS = {"bag_of_words": (1, 1), "ngrams": (1, 3)}
"""Reader → shortest and longest sequence of words that it knows."""


def blind_accuracy(true: Sequence[str], changed: Sequence[str], images: Sequence[str]) -> dict[str, float | None]:
    """Share of captions that logistic regression of words, or of one to three words in a row, puts on the right side.

    ``true`` and ``changed`` go together one by one, so half is chance. ``images``: the image of each pair; none is read both to
    learn and to judge. None: too few images to tell.
    """
    if len(set(images)) < 2 * FOLDS:
        return dict.fromkeys(READERS)
    texts = np.array([*true, *changed], dtype=object)
    labels = np.repeat([1, 0], len(true))
    groups = np.unique(np.array([*images, *images]), return_inverse=True)[1]
    accuracy: dict[str, float | None] = {}
    for name, span in READERS.items():
        right = 0
        for learn, judge in GroupKFold(FOLDS).split(texts, labels, groups):
            reader = make_pipeline(
                CountVectorizer(ngram_range=span, token_pattern=r"\b\w+\b", min_df=2), LogisticRegression(max_iter=1000)
            )
            reader.fit(texts[learn], labels[learn])
            right += int((reader.predict(texts[judge]) == labels[judge]).sum())
        accuracy[name] = round(right / len(texts), 4)
    return accuracy


def accuracy_of_kinds(texts: Sequence[ComposedText], captions: Mapping[str, Caption]) -> dict[str, dict[str, float | None]]:
    """Accuracy of each blind reader, on the negatives of each kind and on all; ``captions``: by id."""
    accuracy = {}
    for kind in (*sorted({text.kind for text in texts}), "all"):
        pairs = sample_pairs((text for text in texts if kind in ("all", text.kind)), BLIND_PAIRS)
        true = [captions[pair.caption_id] for pair in pairs]
        accuracy[kind] = blind_accuracy(
            [caption.text for caption in true], [pair.text for pair in pairs], [caption.image_id for caption in true]
        )
    return accuracy
