"""The most trivial baseline: words that a caption shares with an image's tags, the rarer the better. Nothing is trained.

Where it ranks as well as a joint model, tags name what captions ask for, and nothing is left for early interaction to do.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float


def unchanged(text: str) -> str:
    """No words are merged."""
    return text


def lexical_scores(
    tags: Sequence[Sequence[str]],
    captions: Sequence[str],
    known: Sequence[str],
    merged: Callable[[str], str] = unchanged,
) -> Float[np.ndarray, "N M"]:
    """Cosines of TF-IDF vectors of each image's tags with each caption.

    Args:
        tags: of N images; one without any has the score 0 with every caption.
        captions: M of them.
        known: captions of the training split, of which TF-IDF takes how rare a word is; the others' words are left out.
        merged: gives each text before it is cut into words, e.g. with one word for all of a meaning.

    Returns:
        float32, from 0 to 1.

    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(preprocessor=lambda text: merged(text.lower()), sublinear_tf=True).fit(known)
    products = words.transform([" ".join(own) for own in tags]) @ words.transform(captions).T
    scores: np.ndarray = products.toarray().astype(np.float32)
    return scores
