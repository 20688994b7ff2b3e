"""Nouns and attributes by a part-of-speech tagger that the user has installed, instead of learned ones: spaCy or NLTK.

Neither is a dependency: both need data of their own. A word belongs to the class that the tagger gives it most often.
"""

import importlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from vldeformer.errors import InputError
from vldeformer.inputs.settings import LexiconKind
from vldeformer.negatives.grammar import FUNCTION_WORDS, learn_forms, singular
from vldeformer.negatives.lexicon import LEAST_OCCURRENCES, Lexicon, count_words

MOST_CAPTIONS = 20_000
"""The tagger reads the first so many: enough to know the class of a common word."""
SPACY_MODEL = "en_core_web_sm"
NLTK_DATA = "averaged_perceptron_tagger_eng"
NOUN_TAGS, ATTRIBUTE_TAGS = frozenset({"NOUN", "NN", "NNS"}), frozenset({"ADJ", "JJ"})
INSTALL = {
    "spacy": f"`pip install spacy` and `python -m spacy download {SPACY_MODEL}`",
    "nltk": f"`pip install nltk` and `python -m nltk.downloader {NLTK_DATA}`",
}

Tagger = Callable[[Iterable[str]], Iterator[tuple[str, str]]]
"""Texts → (word, part of speech) one after another."""


def tagged_lexicon(kind: LexiconKind, captions: Mapping[str, Sequence[str]], tagger: Tagger | None = None) -> Lexicon:
    """A lexicon of the captions of training images. Raises InputError if the tagger or its data is not installed."""
    tagger = tagger or {"spacy": _spacy, "nltk": _nltk}[kind]
    counts = count_words(captions)
    classes: Counter[tuple[str, str]] = Counter()
    texts = itertools.islice((text for texts in captions.values() for text in texts), MOST_CAPTIONS)
    for word, tag in tagger(texts):
        name = "noun" if tag in NOUN_TAGS else "attribute" if tag in ATTRIBUTE_TAGS else "other"
        classes[word.lower(), name] += 1
    words = sorted(word for word, count in counts.items() if count >= LEAST_OCCURRENCES and word not in FUNCTION_WORDS)
    best = {word: max(("other", "noun", "attribute"), key=lambda name: classes[word, name]) for word in words}
    nouns = {word: singular(word) for word in words if best[word] == "noun"}
    attributes = {word: word for word in words if best[word] == "attribute"}
    return Lexicon(nouns, attributes, learn_forms(text for texts in captions.values() for text in texts))


def _spacy(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    try:
        model: Any = importlib.import_module("spacy").load(SPACY_MODEL, disable=["parser", "ner", "lemmatizer"])
    except (ImportError, OSError):
        raise _not_installed("spacy") from None
    return ((token.text, token.pos_) for document in model.pipe(texts) for token in document)


def _nltk(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    try:
        nltk: Any = importlib.import_module("nltk")
        nltk.pos_tag(["dog"])
    except (ImportError, LookupError):
        raise _not_installed("nltk") from None
    return (pair for text in texts for pair in nltk.pos_tag(nltk.tokenize.wordpunct_tokenize(text)))


def _not_installed(kind: str) -> InputError:
    return InputError(f"negatives.lexicon is {kind}, not installed here with its data; {INSTALL[kind]}, or set it to learned")
