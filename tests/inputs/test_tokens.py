"""Word pieces: what is cut, what is padded, and that any text goes through."""

import numpy as np
import pytest

from vldeformer.errors import InputError
from vldeformer.inputs.tokens import MOST_LETTERS, SPECIAL, WordPieces, pad_rows

TEXTS = ["a red ring left of a blue star", "two green boxes", "a naïve café"]


@pytest.fixture(scope="module")
def pieces():
    return WordPieces.learn(TEXTS, 120)


def test_special_tokens_come_first_and_words_are_whole(pieces):
    assert (pieces.pad, pieces.unknown, pieces.cls, pieces.sep, pieces.mask) == (0, 1, 2, 3, 4)
    assert len(pieces) <= 120
    ids = pieces.encode(["Two GREEN boxes"], 20)[0]
    assert ids[0] == pieces.cls and ids[-1] == pieces.sep
    assert [pieces.tokenizer.id_to_token(number) for number in ids[1:-1]] == ["two", "green", "boxes"]


def test_learning_again_gives_the_same_numbers(pieces):
    """The library's own order of letters inside words is random, and ties between pieces follow it."""
    for _ in range(5):
        assert WordPieces.learn(TEXTS, 120).tokenizer.get_vocab() == pieces.tokenizer.get_vocab()


def test_rare_letters_of_foreign_scripts_are_left_out():
    texts = ["red ring " * 3] * 3 + ["".join(chr(0x4E00 + number) for number in range(300))]
    letters = {token for token in WordPieces.learn(texts, 1000).tokenizer.get_vocab() if len(token) == 1}
    assert len(letters) == MOST_LETTERS and set("reding") <= letters


def test_letters_alone_may_be_more_than_the_size_and_are_then_all():
    letters = "abcdefghijklmnopqrstuvwxyz" + "".join(map(chr, [*range(0x3B1, 0x3CA), *range(0x561, 0x587)]))  # Greek, Armenian
    text = " ".join(first + second for first in letters for second in letters)
    learned = WordPieces.learn([text], 100)
    assert len(learned) == len(SPECIAL) + 2 * len(letters) > 100
    assert learned.unknown not in learned.encode([text], 10**5)[0]


def test_accents_and_case_are_dropped(pieces):
    assert pieces.encode(["A NAIVE Cafe"], 20) == pieces.encode(["a naïve café"], 20)


def test_a_long_text_loses_its_end_but_not_its_sep(pieces):
    short, long = pieces.encode(["red ring", "red ring " * 250], 12)
    assert short == [pieces.cls, *short[1:3], pieces.sep]
    assert long == [pieces.cls, *short[1:3] * 5, pieces.sep] and len(long) == 12


@pytest.mark.parametrize("most", [4, 5, 6])
def test_a_text_of_just_the_length_is_not_cut(pieces, most):
    whole = pieces.encode(["two green boxes"], 100)[0]
    assert len(whole) == 5
    assert pieces.encode(["two green boxes"], most)[0] == (whole if most >= 5 else [*whole[:3], pieces.sep])


def test_an_empty_text_and_foreign_scripts_are_still_sequences(pieces):
    empty, emoji, arabic = pieces.encode(["", "🦊🦊", "قطة على سجادة"], 20)
    assert empty == [pieces.cls, pieces.sep]
    assert set(emoji[1:-1]) == {pieces.unknown} and set(arabic[1:-1]) == {pieces.unknown}
    assert len(arabic) == 5


def test_save_and_load_is_the_same(pieces, tmp_path):
    pieces.save(tmp_path / "tokenizer.json")
    loaded = WordPieces.load(tmp_path / "tokenizer.json")
    assert loaded.encode(TEXTS, 20) == pieces.encode(TEXTS, 20) and len(loaded) == len(pieces)
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]


@pytest.mark.parametrize("content", ["", "{}", "[1", '{"version": "1.0"}'])
def test_something_else_is_refused(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"tokenizer\.json"):
        WordPieces.load(path)


def test_a_missing_file_and_a_vocabulary_of_another_kind_are_refused(tmp_path, pieces):
    with pytest.raises(InputError, match="found none"):
        WordPieces.load(tmp_path / "tokenizer.json")
    text = pieces.tokenizer.to_str().replace("[MASK]", "[OTHER]")
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(InputError, match=r"lacks \[MASK\]"):
        WordPieces.load(tmp_path / "tokenizer.json")


def test_a_tokenizer_file_that_cuts_and_pads_does_neither_here(pieces, tmp_path):
    other = WordPieces.learn(TEXTS, 120).tokenizer
    other.enable_truncation(3)
    other.enable_padding(length=50)
    other.save(str(tmp_path / "tokenizer.json"))
    assert WordPieces.load(tmp_path / "tokenizer.json").encode(TEXTS, 20) == pieces.encode(TEXTS, 20)


@pytest.mark.parametrize("width", [None, 5])
def test_padding_by_hand(width):
    numbers, mask = pad_rows([[7, 8, 9], [5]], pad=0, width=width)
    more = [0] * ((width or 3) - 3)
    assert numbers.tolist() == [[7, 8, 9, *more], [5, 0, 0, *more]]
    assert mask.tolist() == [[True, True, True, *map(bool, more)], [True, False, False, *map(bool, more)]]
    assert numbers.dtype == np.int64


def test_special_names_are_those_of_bert():
    assert SPECIAL == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
