"""Word pieces: a vocabulary learned from captions, or the one that came with a pre-trained text transformer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.implementations import BertWordPieceTokenizer

from vldeformer.artifact import read_json, whole_file
from vldeformer.errors import InputError
from vldeformer.stored_digests import check_stored
from vldeformer.text_files import LINE_ENDS, read_text

PAD, UNKNOWN, CLS, SEP, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MOST_LETTERS = 200


class WordPieces:
    """A BERT word-piece vocabulary."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        missing = [token for token in SPECIAL if tokenizer.token_to_id(token) is None]
        if missing:
            raise InputError(f"the vocabulary lacks {' '.join(missing)}; a BERT word-piece vocabulary is expected")
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        numbers = tokenizer.get_vocab()
        self.pad, self.unknown, self.cls, self.sep, self.mask = (numbers[token] for token in SPECIAL)

    @classmethod
    def learn(cls, texts: Iterable[str], size: int) -> "WordPieces":
        """Learn word pieces from texts (lower-cased, accents stripped): ``size``, fewer if the texts have no more.

        The special tokens and the letters always belong to them, each at the beginning and inside of words, the ``MOST_LETTERS``
        most frequent ones: where these alone are more than ``size``, they are all.
        """
        learner = BertWordPieceTokenizer(lowercase=True)
        words = Counter(word for text in texts for word in _plain_words(learner, text))
        letters: Counter[str] = Counter()
        for word, count in words.items():
            for letter in word:
                letters[letter] += count
        alphabet = sorted(sorted(letters, key=lambda letter: (-letters[letter], letter))[:MOST_LETTERS])
        inner = sorted({letter for word in words for letter in word[1:]} & set(alphabet))
        # The library numbers the letters inside words in the random order of a hash table, and ties between pieces follow
        # the numbers: named among the first tokens, every run numbers them alike.
        learner.train_from_iterator(
            (" ".join([word] * count) for word, count in words.items()),
            vocab_size=size,
            min_frequency=1,
            limit_alphabet=len(alphabet),
            initial_alphabet=alphabet,
            special_tokens=[*SPECIAL, *(f"##{letter}" for letter in inner)],
            show_progress=False,
        )
        # Training alone sets no template: reload through the vocabulary so that [CLS] and [SEP] are added as in BERT.
        vocabulary = learner.get_vocab()
        return cls(BertWordPieceTokenizer(vocabulary, lowercase=True)._tokenizer)

    @classmethod
    def load(cls, path: Path) -> "WordPieces":
        """Read a ``tokenizer.json``. Raises InputError if it is missing or is not one."""
        if not path.is_file():
            raise InputError(f"{path}: expected a tokenizer.json, found none")
        check_stored(path)
        try:
            return cls(Tokenizer.from_file(str(path)))
        except Exception as error:  # the tokenizers library raises bare Exception
            raise InputError(f"{path}: expected a tokenizer.json of the tokenizers library; {error}") from None

    @classmethod
    def read_vocabulary(cls, path: Path) -> "WordPieces":
        """Read a BERT's ``vocab.txt``, a word piece a line; lower-cased unless a ``tokenizer_config.json`` beside it says no.

        Raises InputError if a line comes twice or a special token is missing.
        """
        try:
            lines = LINE_ENDS.split(read_text(path).removesuffix("\n"))
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: expected a word piece a line in UTF-8; {error}") from None
        numbers = {line.rstrip("\r"): number for number, line in enumerate(lines)}
        if len(numbers) < len(lines):
            twice = next(line for number, line in enumerate(lines) if numbers[line.rstrip("\r")] != number)
            raise InputError(f"{path}: word piece {twice!r} comes twice; expected each once")
        settings = path.with_name("tokenizer_config.json")
        lowercase = read_json(settings).get("do_lower_case", True) if settings.is_file() else True
        missing = [token for token in SPECIAL if token not in numbers]
        if missing:
            raise InputError(f"{path}: {' '.join(missing)} missing; expected the vocab.txt of a BERT")
        return cls(BertWordPieceTokenizer(numbers, lowercase=lowercase)._tokenizer)

    def save(self, path: Path) -> None:
        """Write as ``tokenizer.json``."""
        with whole_file(path) as temporary:
            # Not the library's own writer, whose error on a full disk is no OSError.
            temporary.write_text(self.tokenizer.to_str(pretty=True), encoding="utf-8")

    def __len__(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    def encode(self, texts: Sequence[str], most: int) -> list[list[int]]:
        """Token numbers of each text, ``[CLS] … [SEP]``, at most ``most`` of them: longer texts lose their end, not the [SEP]."""
        encoded = self.tokenizer.encode_batch(list(texts), add_special_tokens=True)
        return [e.ids if len(e.ids) <= most else [*e.ids[: most - 1], self.sep] for e in encoded]


def _plain_words(learner: BertWordPieceTokenizer, text: str) -> list[str]:
    """The words that pieces are learned from: lower case, without accents, punctuation apart."""
    return [word for word, _ in learner.pre_tokenizer.pre_tokenize_str(learner.normalizer.normalize_str(text))]


def pad_rows(rows: Sequence[Sequence[int]], pad: int, width: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Pad to ``width`` (None: the longest row). Returns numbers (B, width) int64 and the mask (B, width) bool."""
    lengths = np.array([len(row) for row in rows])
    width = int(lengths.max()) if width is None else width
    mask = np.arange(width) < lengths[:, None]
    numbers = np.full(mask.shape, pad, dtype=np.int64)
    numbers[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return numbers, mask
