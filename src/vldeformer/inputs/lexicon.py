"""Which words of the captions are nouns and attributes, and which words mean the same: learned from captions and tags.

With detector tags, a caption word means the tag word that it goes together with best over the images,
so that "hoop" and "ring" share a concept and neither is offered as a replacement of the other. A tag's last word names
a thing, the words before it attributes. Without tags a noun is a word that closes a noun phrase: it follows a determiner
and is itself followed by a function word; its concept is its singular.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
DETERMINERS = frozenset("a an the this that these those his her its their one two three four five six some several many".split())
FUNCTION_WORDS = DETERMINERS | frozenset(
    """and or but of in on at by with from to into onto over under above below beside between behind near through across
    around against along is are was were be been being has have had do does it he she they them who which while as for
    there here up down out off left right top bottom front next not no than then so that very just also all both each""".split()
)
LEAST_OCCURRENCES = 5
LEAST_ASSOCIATION = 0.3


@dataclass(frozen=True)
class Lexicon:
    """Words that may be replaced, by class, each with the concept it stands for and its count in the captions."""

    nouns: Mapping[str, str]
    attributes: Mapping[str, str]
    counts: Mapping[str, int]


def words_of(text: str) -> list[str]:
    """The lower-case words of a text, in order; ``WORD`` finds the same words with their places."""
    return WORD.findall(text.lower())


def learn_lexicon(captions: Mapping[str, Sequence[str]], tags: Mapping[str, Sequence[str]] | None) -> Lexicon:
    """Learn from each image's captions and, where there is a detector, its tags. Only the training images may be given."""
    counts = Counter(word for texts in captions.values() for text in texts for word in words_of(text))
    if tags is None:
        return Lexicon(_phrase_ends(captions, counts), {}, counts)
    things = {image: {tag.split()[-1] for tag in row if tag.split()} for image, row in tags.items()}
    qualities = {image: {word for tag in row for word in tag.split()[:-1]} for image, row in tags.items()}
    nouns, noun_strength = _associated(captions, things, counts)
    attributes, attribute_strength = _associated(captions, qualities, counts)
    for word in nouns.keys() & attributes.keys():
        weaker = attributes if noun_strength[word] >= attribute_strength[word] else nouns
        del weaker[word]
    return Lexicon(nouns, attributes, counts)


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
    inside: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for texts in captions.values():
        for text in texts:
            words = words_of(text)
            for place, word in enumerate(words):
                before = words[max(0, place - 3) : place]
                after = words[place + 1] if place + 1 < len(words) else "and"
                inside[word] += 1
                ends[word] += any(w in DETERMINERS for w in before) and (after in FUNCTION_WORDS or after.endswith("ing"))
    return {
        word: singular(word)
        for word, count in sorted(counts.items())
        if count >= LEAST_OCCURRENCES and len(word) > 2 and word not in FUNCTION_WORDS
        and not word.endswith("ing") and ends[word] > 0.5 * inside[word]
    }  # fmt: skip


def singular(word: str) -> str:
    """A word without its plural ending; wrong for irregular ones, which only makes two concepts of one."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
