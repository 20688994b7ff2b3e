"""Which words of the captions are nouns and attributes, and which words mean the same: learned from captions and tags.

With detector tags, a caption word means the tag word that it goes together with best over the images,
so that "hoop" and "ring" share a concept and neither is offered as a replacement of the other. A tag's last word names
a thing, the words before it attributes. Without tags a noun is a word that closes a noun phrase: it follows a determiner
and is itself followed by a function word. Further attributes are the words that stand before nouns, after a determiner.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vldeformer.negatives.grammar import (
    DETERMINERS,
    FUNCTION_WORDS,
    WordForms,
    learn_forms,
    qualities_of,
    singular,
    things_of,
    words_of,
)

LEAST_OCCURRENCES = 5
LEAST_ASSOCIATION = 0.3
MODIFIER_SHARE = 0.4
DIRECT_SHARE = 0.1
PHRASE_OPENERS = DETERMINERS | frozenset("of in on at by with from into onto over under near through across".split())


@dataclass(frozen=True)
class Lexicon:
    """Words that may be replaced, by class, each with the concept it stands for.

    forms: plurals, articles and capitals.
    """

    nouns: Mapping[str, str]
    attributes: Mapping[str, str]
    forms: WordForms


def learn_lexicon(captions: Mapping[str, Sequence[str]], tags: Mapping[str, Sequence[str]] | None) -> Lexicon:
    """Learn from each image's captions and, where there is a detector, its tags. Only the training images may be given."""
    counts = count_words(captions)
    if tags is None:
        nouns = _phrase_ends(captions, counts)
        attributes: dict[str, str] = {}
    else:
        nouns, attributes = _tag_words(captions, tags, counts)
    attributes |= {word: word for word in _modifiers(captions, counts, nouns, attributes)}
    return Lexicon(nouns, attributes, learn_forms(text for texts in captions.values() for text in texts))


def count_words(captions: Mapping[str, Sequence[str]]) -> Counter[str]:
    """How many captions say each word: one long caption counts for no more than a short one."""
    return Counter(word for texts in captions.values() for text in texts for word in set(words_of(text)))


def _tag_words(
    captions: Mapping[str, Sequence[str]], tags: Mapping[str, Sequence[str]], counts: Mapping[str, int]
) -> tuple[dict[str, str], dict[str, str]]:
    things = {image: things_of(row) for image, row in tags.items()}
    qualities = {image: qualities_of(row) for image, row in tags.items()}
    nouns, noun_strength = _associated(captions, things, counts)
    attributes, attribute_strength = _associated(captions, qualities, counts)
    for word in nouns.keys() & attributes.keys():
        weaker = attributes if noun_strength[word] >= attribute_strength[word] else nouns
        del weaker[word]
    return nouns, attributes


def _associated(
    captions: Mapping[str, Sequence[str]], concepts: Mapping[str, set[str]], counts: Mapping[str, int]
) -> tuple[dict[str, str], dict[str, float]]:
    """Caption word → the concept whose presence the word raises most, if that is enough."""
    together: dict[str, Counter[str]] = defaultdict(Counter)
    word_images: Counter[str] = Counter()
    concept_images: Counter[str] = Counter()
    for image, texts in captions.items():
        present = concepts.get(image, set())
        concept_images.update(present)
        for word in {word for text in texts for word in words_of(text)} - FUNCTION_WORDS:
            word_images[word] += 1
            together[word].update(present)
    total = len(captions)
    best: dict[str, str] = {}
    strength: dict[str, float] = {}
    for word in sorted(together):
        if counts[word] < LEAST_OCCURRENCES:
            continue
        for concept in sorted(together[word]):
            n_word, n_concept, n_both = word_images[word], concept_images[concept], together[word][concept]
            # How much likelier the concept is seen where the word is said: a rare synonym scores as high as a common one.
            # The other images count as if some more of the usual kind were among them: a word said of nearly every image
            # tells nothing, however few the others are.
            usual = n_concept / total
            elsewhere = (n_concept - n_both + LEAST_OCCURRENCES * usual) / (total - n_word + LEAST_OCCURRENCES)
            lift = n_both / n_word - elsewhere
            if lift > max(LEAST_ASSOCIATION, strength.get(word, 0.0)):
                best[word], strength[word] = concept, lift
    return best, strength


def _phrase_ends(captions: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> dict[str, str]:
    """Words that mostly end a phrase, and often follow its first word at once: a verb ("the boy runs in") does not."""
    ends: Counter[str] = Counter()
    direct: Counter[str] = Counter()
    for texts in captions.values():
        for text in texts:
            words = words_of(text)
            closing, opened = set(), set()
            for place, word in enumerate(words):
                before = words[max(0, place - 3) : place]
                after = words[place + 1] if place + 1 < len(words) else "and"
                if any(w in DETERMINERS for w in before) and (after in FUNCTION_WORDS or after.endswith("ing")):
                    closing.add(word)
                if place > 0 and words[place - 1] in PHRASE_OPENERS:
                    opened.add(word)
            ends.update(closing)
            direct.update(opened)
    return {
        word: singular(word)
        for word, count in sorted(counts.items())
        if count >= LEAST_OCCURRENCES and len(word) > 2 and word not in FUNCTION_WORDS and not word.endswith("ing")
        and ends[word] > 0.5 * count and direct[word] > DIRECT_SHARE * count
    }  # fmt: skip


def _modifiers(
    captions: Mapping[str, Sequence[str]], counts: Mapping[str, int], nouns: Mapping[str, str], attributes: Mapping[str, str]
) -> list[str]:
    """Words that mostly stand between a determiner, the beginning or an attribute and a noun or an attribute."""
    inside: Counter[str] = Counter()
    opening, closing = DETERMINERS | attributes.keys(), nouns.keys() | attributes.keys()
    for texts in captions.values():
        for text in texts:
            words = words_of(text)
            triples = zip(["the", *words], words, words[1:], strict=False)
            inside.update({word for before, word, after in triples if before in opening and after in closing})
    return [
        word
        for word, count in sorted(counts.items())
        if count >= LEAST_OCCURRENCES and len(word) > 2 and word not in FUNCTION_WORDS and word not in closing
        and not word.endswith("ing") and inside[word] > MODIFIER_SHARE * count
    ]  # fmt: skip
