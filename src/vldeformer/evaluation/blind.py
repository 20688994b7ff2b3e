"""The blind baseline of the compositional test: a language model that picks the likelier caption and never sees an image.

An interpolated trigram model: what words follow is estimated from the two before, the one before and none, weighted as Witten
and Bell do (IEEE Transactions on Information Theory, 1991): the more different words a context was seen with, the less it is
trusted.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

ORDER = 3
TOKEN = re.compile(r"\w+|[^\w\s]")
START, END = "<s>", "</s>"


class TrigramModel:
    """Counts of the captions it is made from."""

    def __init__(self, captions: Iterable[str]) -> None:
        self.counts: Counter[tuple[str, ...]] = Counter()  # a context and the word behind it
        for caption in captions:
            words = _words(caption)
            for place in range(ORDER - 1, len(words)):
                self.counts.update(words[place - order : place + 1] for order in range(ORDER))
        self.totals: Counter[tuple[str, ...]] = Counter()  # of each context
        self.kinds: Counter[tuple[str, ...]] = Counter()  # different words behind each context
        for words, count in self.counts.items():
            self.totals[words[:-1]] += count
            self.kinds[words[:-1]] += 1

    def log_probability(self, caption: str) -> float:
        """Natural logarithm of the probability of a whole caption, its end included; words never seen share what is left."""
        words = _words(caption)
        return math.fsum(math.log(self._probability(words[: place + 1])) for place in range(ORDER - 1, len(words)))

    def _probability(self, words: tuple[str, ...]) -> float:
        probability = 1 / (self.kinds[()] + 1)
        for order in range(ORDER):
            context = words[len(words) - 1 - order : -1]
            total, kinds = self.totals[context], self.kinds[context]
            if total:
                probability = (self.counts[(*context, words[-1])] + kinds * probability) / (total + kinds)
        return probability


def blind_scores(captions: Iterable[str], texts: Sequence[str]) -> np.ndarray:
    """(N, 2) float64: log-probability of each text after reading ``captions``, in all and a word."""
    model = TrigramModel(captions)
    known: dict[str, tuple[float, float]] = {}
    for text in texts:
        if text not in known:
            total = model.log_probability(text)
            known[text] = total, total / (len(_words(text)) - ORDER + 1)
    return np.array([known[text] for text in texts]).reshape(len(texts), 2)


def _words(caption: str) -> tuple[str, ...]:
    return (*[START] * (ORDER - 1), *TOKEN.findall(caption.lower()), END)
