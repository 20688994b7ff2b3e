"""The little English that replacing a word needs: words of a text, function words, plurals, articles, capital letters.

What can be learned from the captions is: whether "a" or "an" goes before a word, how it is spelled within a sentence, and
whether a word in -s is a plural ("a plus" is not, nobody says "a stars").
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
SINGULAR_DETERMINERS = frozenset("a an one another each this that".split())
PLURAL_DETERMINERS = frozenset(
    "two three four five six seven eight nine ten several many some these those few multiple both".split()
)
DETERMINERS = SINGULAR_DETERMINERS | PLURAL_DETERMINERS | frozenset("the his her its their".split())
FUNCTION_WORDS = DETERMINERS | frozenset(
    """and or but of in on at by with from to into onto over under above below beside between behind near through across
    around against along is are was were be been being has have had do does it he she they them who which while as for
    there here up down out off left right top bottom front next not no than then so very just also all other upper lower
    we you one's where when what what's how if after before during without within inside outside toward towards""".split()
)
MOST_SINGULAR = 0.15
PHRASE_WORDS = 4


@dataclass(frozen=True)
class WordForms:
    """What is known of words.

    plurals: words for more than one; counted: words that are or have a plural; an_words: word → goes after "an"; spelling:
    words that are not written small within a sentence.
    """

    plurals: frozenset[str]
    counted: frozenset[str]
    an_words: dict[str, bool]
    spelling: dict[str, str]

    def number(self, word: str, before: list[str]) -> str:
        """``one`` or ``many``, with ``'s`` for an owner. ``before``: the words before it, for a word without a plural (fish)."""
        owner = "'s" if word.endswith(("'s", "’s")) else ""
        if word in self.plurals:
            return "many" + owner
        if word not in self.counted:
            for earlier in reversed(before[-PHRASE_WORDS:]):
                if earlier in FUNCTION_WORDS:
                    return ("many" if earlier in PLURAL_DETERMINERS else "one") + owner
        return "one" + owner

    def article(self, word: str) -> str:
        """``a`` or ``an``."""
        return "an" if self.an_words.get(word, word[0] in "aeiou") else "a"

    def written(self, word: str, instead_of: str) -> str:
        """A word as it is written in the place of another: capitals as that one has them at the beginning or throughout."""
        usual = self.spelling.get(word, word)
        small = instead_of.lower()
        if instead_of.isupper() and len(instead_of) > 1 and not self.spelling.get(small, "").isupper():
            return word.upper()
        if instead_of[0].isupper() and not self.spelling.get(small, small)[0].isupper():
            return usual[0].upper() + usual[1:]
        return usual


def words_of(text: str) -> list[str]:
    """The lower-case words of a text, in order; ``WORD`` finds the same words with their places."""
    return WORD.findall(text.lower())


def things_of(tags: Iterable[str]) -> set[str]:
    """What detector tags name: the last word of each."""
    return {tag.split()[-1] for tag in tags if tag.split()}


def qualities_of(tags: Iterable[str]) -> set[str]:
    """What detector tags say of their things: the words before the last."""
    return {word for tag in tags for word in tag.split()[:-1]}


def learn_forms(texts: Iterable[str]) -> WordForms:
    """Learn the forms of all words of the captions."""
    counts: Counter[str] = Counter()
    spelled: Counter[tuple[str, str]] = Counter()
    inner: Counter[str] = Counter()
    articles: Counter[tuple[str, str]] = Counter()
    single: Counter[str] = Counter()
    for text in texts:
        written = WORD.findall(text)
        words = [word.lower() for word in written]
        counts.update(words)
        inner.update(words[1:])
        spelled.update((small, form) for small, form in zip(words[1:], written[1:], strict=True) if small != form)
        articles.update((before, word) for before, word in itertools.pairwise(words) if before in ("a", "an"))
        for place, word in enumerate(words):
            if word[-1] == "s":
                phrase = next((w for w in reversed(words[max(0, place - PHRASE_WORDS) : place]) if w in FUNCTION_WORDS), "")
                single[word] += phrase in SINGULAR_DETERMINERS
    plurals = {word for word, count in counts.items() if _is_plural(word, single[word] / count, counts)}
    counted = {singular(word) for word in plurals} | plurals
    an_words = {word: articles["an", word] > articles["a", word] for _, word in articles}
    spelling = {word: form for (word, form), count in sorted(spelled.items()) if count > inner[word] / 2}
    return WordForms(frozenset(plurals), frozenset(counted), an_words, spelling)


def _is_plural(word: str, single: float, counts: Counter[str]) -> bool:
    if word in IRREGULAR or (word.endswith("men") and word[:-3] + "man" in counts) or word.endswith("children"):
        return True
    if not word.endswith("s") or word.endswith(("ss", "us", "is", "'s", "’s")) or word in FUNCTION_WORDS:
        return False
    return single < MOST_SINGULAR


IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "feet": "foot", "teeth": "tooth", "mice": "mouse",
    "geese": "goose", "leaves": "leaf", "knives": "knife", "wolves": "wolf", "shelves": "shelf", "calves": "calf",
}  # fmt: skip


def singular(word: str) -> str:
    """A word without its plural ending; wrong for rare irregular ones, which only makes two concepts of one."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("men") and len(word) > 4:
        return word[:-3] + "man"
    if word.endswith("children"):
        return word[:-3]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
