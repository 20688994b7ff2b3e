"""Names of a classifier's classes as tags that read like words of captions, and the tags of an image."""

import re
from collections.abc import Sequence

import numpy as np


def class_word(name: str) -> str:
    """The first name of a list of synonyms, without explanations in brackets and underscores, in small letters.

    >>> class_word("tench, Tinca tinca"), class_word("kite (bird of prey)"), class_word("cardboard_box / carton")
    ('tench', 'kite', 'cardboard box')
    """
    plain = re.sub(r"\([^()]*\)", " ", name).replace("_", " ")
    first = next((part for part in re.split(r",|;|\s/\s|\|", plain) if part.strip()), "")
    return re.sub(r"^(an?|the) ", "", " ".join(first.split()).lower())


def likeliest(logits: np.ndarray, words: Sequence[str], most: int, least_probability: float) -> tuple[str, ...]:
    """Tags of an image, the likeliest class first; a word that two classes share comes once.

    Args:
        logits: (classes,) of a classifier.
        words: name of each class; classes with an empty one become no tags.
        most: number of classes that are looked at.
        least_probability: what the softmax must give a class at least.

    """
    raised = np.exp(logits.astype(np.float64) - logits.max())
    probabilities = raised / raised.sum()
    best = np.argsort(-probabilities, kind="stable")[:most]
    chosen = (words[row] for row in best.tolist() if probabilities[row] >= least_probability)
    return tuple(dict.fromkeys(word for word in chosen if word))
