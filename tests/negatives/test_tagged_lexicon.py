"""A part-of-speech tagger in the place of the learned lexicon: used where it is installed, and asked for where it is not."""

import importlib
import importlib.util
import re

import pytest

from vldeformer.errors import InputError
from vldeformer.negatives.tagged_lexicon import NLTK_DATA, SPACY_MODEL, tagged_lexicon

CAPTIONS = {f"i{number}": ["A black dog runs in the snow", "two dogs on a green field"] for number in range(6)}


def test_a_word_is_what_the_tagger_mostly_says():
    tags = {"black": "ADJ", "dog": "NOUN", "dogs": "NOUN", "green": "JJ", "field": "NN", "snow": "NOUN"}

    def tagger(texts):
        for number, text in enumerate(texts):
            for word in text.split():
                yield word, "ADJ" if word == "snow" and number % 4 == 0 and number < 4 else tags.get(word, "VERB")

    lexicon = tagged_lexicon("spacy", CAPTIONS, tagger)
    assert dict(lexicon.nouns) == {"dog": "dog", "dogs": "dog", "field": "field", "snow": "snow"}
    assert dict(lexicon.attributes) == {"black": "black", "green": "green"}


@pytest.mark.parametrize(("kind", "data"), [("spacy", SPACY_MODEL), ("nltk", NLTK_DATA)])
def test_what_is_not_installed_is_named(kind, data, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    expected = f"negatives.lexicon is {kind}, not installed here with its data; `pip install {kind}` and "
    with pytest.raises(InputError, match=f"{re.escape(expected)}.*{data}.*or set it to learned"):
        tagged_lexicon(kind, CAPTIONS)


@pytest.mark.parametrize(("kind", "data"), [("spacy", SPACY_MODEL), ("nltk", NLTK_DATA)])
def test_with_the_real_tagger(kind, data):
    module = pytest.importorskip(kind)
    if kind == "spacy" and importlib.util.find_spec(data) is None:
        pytest.skip(f"{data} is not installed")
    if kind == "nltk":
        try:
            module.pos_tag(["dog"])
        except LookupError:
            pytest.skip(f"{data} is not downloaded")
    lexicon = tagged_lexicon(kind, CAPTIONS)
    assert {"dog", "dogs", "field"} <= lexicon.nouns.keys() and {"black", "green"} <= lexicon.attributes.keys()
