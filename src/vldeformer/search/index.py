"""Searching an index: text, picture, or an image of the index itself → the nearest images.

An open index is read-only, and each query is read, compared and ordered alone: the answer is a function of the query and of what
the index holds.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vldeformer.content_digest import digest
from vldeformer.encoder import Encoder, load
from vldeformer.errors import InputError
from vldeformer.inputs.in_memory import InMemoryImage
from vldeformer.models.importing import files_of
from vldeformer.retrieval.vectors import as_float32, check_vectors
from vldeformer.search.images import ImageSource, open_images
from vldeformer.search.layout import StructureKind, read_contents, read_description, read_shard
from vldeformer.search.photograph_vectors import encode_alone
from vldeformer.search.rows import Rows
from vldeformer.search.structure import Structure

Reranked = Callable[[str, list["Hit"]], list["Hit"]]


@dataclass(frozen=True, slots=True)
class Hit:
    """An image that was found. score: cosine; path: its file, if it has one; joint: log-odds of a match, if it was re-ranked."""

    id: str
    score: float
    path: Path | None
    joint: float | None = None


class SearchIndex:
    """An index opened for reading; any number of processes and threads may do so at once, while another process writes.

    ``len(index)``: images that can be found. What a writer changes afterwards is seen when the index is opened again.
    """

    def __init__(self, folder: Path, model: str | Path | None = None, device: Literal["cpu", "cuda"] = "cpu") -> None:
        self.folder, self.description = folder, read_description(folder)
        self._model, self._device = model or self.description.model, device
        self._rows, self._structure = _read(folder, self.description.width)

    @classmethod
    def open(cls, path: str | Path, model: str | Path | None = None, device: Literal["cpu", "cuda"] = "cpu") -> "SearchIndex":
        """Open an index; the model is loaded at the first query that needs it.

        Args:
            path: index folder, made by `vldeformer index`.
            model: present place of the model, if it has moved since the index was made.
            device: where the model runs.

        Returns:
            The index, read-only.

        Raises:
            InputError: there is no index, it is damaged, or it has another format.

        """
        return cls(Path(path), model, device)

    def reopened(self) -> "SearchIndex":
        """The index as it is on disk, with the model if that is loaded already. Raises InputError as ``open`` does."""
        opened = SearchIndex(self.folder, self._model, self._device)
        same = opened.description.model_sha256 == self.description.model_sha256
        if same and "encoder" in vars(self):
            opened.encoder = self.encoder
        return opened

    def __len__(self) -> int:
        return int(self._rows.alive.sum())

    def __contains__(self, image_id: object) -> bool:
        return isinstance(image_id, str) and self._rows.find(image_id) is not None

    @property
    def structure(self) -> StructureKind:
        """How the nearest are found: flat, pq4, sq8, hnsw or ivfpq."""
        return "flat" if self._structure is None else self._structure.kind

    def search(self, text: str, k: int = 10, rerank: Reranked | None = None, candidates: int = 50) -> list[Hit]:
        """Find the images nearest to a sentence.

        Args:
            text: the sentence.
            k: number of images.
            rerank: such as ``JointReranker``: sorts the best ``candidates`` before the first k are returned.
            candidates: number of images to re-rank.

        Returns:
            k hits, or all images if there are fewer, best first; of equal scores the image that was indexed first.

        Raises:
            InputError: the text is empty, k is below 1, or candidates is below k.

        >>> [type(hit).__name__ for hit in index.search("a red ring", k=2)]
        ['Hit', 'Hit']
        """
        _check_k(k)
        if rerank is None:
            return self.search_vector(self.encode_text(text), k)
        if candidates < k:
            raise InputError(f"candidates: expected at least k = {k} to re-rank, got {candidates}")
        return rerank(text, self.search_vector(self.encode_text(text), candidates))[:k]

    def search_image(self, image: InMemoryImage, k: int = 10) -> list[Hit]:
        """The k images nearest to a picture. Raises InputError if the model cannot read it, or k is below 1.

        >>> index.search_image(PIL.Image.open(index.path("a/03.png")), k=1)[0].id
        'a/03.png'
        """
        _check_k(k)
        return self.search_vector(encode_alone(self.encoder, image), k)

    def similar(self, image_id: str, k: int = 10) -> list[Hit]:
        """The k images nearest to one of the index, itself left out; needs no model.

        Raises InputError if it is not there, or k is below 1.

        >>> len(index.similar("a/03.png", k=3))
        3
        """
        _check_k(k)
        row = self._row(image_id)
        return [self._hit(*found) for found in self._nearest(self._rows.vector(row), k + 1) if found[0] != row][:k]

    def search_vector(self, vector: np.ndarray, k: int = 10) -> list[Hit]:
        """The k images nearest to a vector (D,) of unit length.

        Raises InputError if it is not finite, of another width or length, or k is below 1.
        """
        _check_k(k)
        one = as_float32("vector", np.asarray(vector)[None])
        check_vectors("vector", one, ("query",))
        if one.shape[1] != self.description.width:
            raise InputError(f"vector: expected width {self.description.width}, got {one.shape[1]}; use the index's own model")
        return [self._hit(*found) for found in self._nearest(one[0], k)]

    def encode_text(self, text: str) -> np.ndarray:
        """(D,) float32 of a query. Raises InputError if it is empty."""
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"query: expected some words, got {text!r}")
        vector: np.ndarray = self.encoder.encode_text([text])[0]
        return vector

    def unread(self, text: str) -> str | None:
        """What of a query the model does not read, in words for its author; None: it reads all."""
        words, most = self.encoder.words, self.encoder.description.backbone.caption_tokens
        pieces = words.encode([text.encode("utf-8", "replace").decode()], most + 10**6)[0][1:-1]
        if pieces and all(piece == words.unknown for piece in pieces):
            return "the model knows none of these words: what it finds says nothing"
        if len(pieces) > most - 2:
            return f"the model reads the first {most - 2} of {len(pieces)} word pieces"
        unknown = sum(piece == words.unknown for piece in pieces)
        return f"the model does not know {unknown} of {len(pieces)} word pieces" if unknown else None

    @functools.cached_property
    def encoder(self) -> Encoder:
        """The model of the index. Raises InputError if it is not there or is another."""
        made_by = self.description.model
        if not Path(self._model).exists() and Path(made_by).is_absolute():
            raise InputError(f"{self.folder}: its model is not at {self._model}; say with --model where it is")
        if digest(files_of(self._model)) != self.description.model_sha256:
            raise InputError(f"{self._model}: not the model that made {self.folder} ({made_by}); give that one or index again")
        return load(self._model, self._device)

    @functools.cached_property
    def images(self) -> ImageSource:
        """Where the images are. Raises InputError if the folder or store has gone, or is no longer what was indexed."""
        found, kind = open_images(self._root), self.description.images_kind
        if found.kind != kind:
            raise InputError(
                f"{self._root}: expected the images of {self.folder} ({kind}), got {found.kind}; put them back there"
            )
        return found

    @functools.cached_property
    def _root(self) -> Path:
        return (self.folder.resolve() / self.description.images).resolve()

    def parts(self) -> Iterator[tuple[list[str], np.ndarray]]:
        """Ids and vectors (n, D) of all images that can be found, shard by shard."""
        return self._rows.parts()

    def path(self, image_id: str) -> Path | None:
        """The image's file, None if it has none of its own or its store no longer names it; the file is not looked at."""
        if self.description.images_kind == "folder":
            return self._root / image_id
        if self.description.images_kind != "photographs":
            return None
        try:
            return self.images.path(image_id)
        except InputError:
            return None

    def _nearest(self, vector: np.ndarray, k: int) -> list[tuple[int, float]]:
        """Rows and scores."""
        covered = 0 if self._structure is None else self._structure.rows
        rows = [self._rows.scanned(vector, k, covered)]
        if self._structure is not None:
            rows.append(self._structure.propose(vector, k, self._rows.alive))
        proposed = np.unique(np.concatenate(rows))
        scores = self._rows.scores(proposed, vector)
        order = np.lexsort((proposed, -scores))[:k]
        return list(zip(proposed[order].tolist(), scores[order].tolist(), strict=True))

    def _row(self, image_id: str) -> int:
        row = self._rows.find(image_id)
        if row is None:
            raise InputError(f"{self.folder}: image {image_id!r} is not in the index")
        return row

    def _hit(self, row: int, score: float) -> Hit:
        name = self._rows.name(row)
        return Hit(name, score, self.path(name))


def _read(folder: Path, width: int) -> tuple[Rows, Structure | None]:
    """What the index holds now: a writer may replace a structure between the reading of what there is and its opening."""
    while True:
        contents = read_contents(folder)
        held = contents.structure
        try:
            rows = Rows([read_shard(folder, entry, width) for entry in contents.shards], contents)
            return rows, None if held is None else Structure(folder / held.file, held.kind, held.rows, held.xxh3)
        except InputError:
            if read_contents(folder) == contents:
                raise


def _check_k(k: int) -> None:
    if not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k: expected a whole number, at least 1, got {k!r}")


def open_index(path: str | Path, model: str | Path | None = None, device: Literal["cpu", "cuda"] = "cpu") -> SearchIndex:
    """Open an index that `vldeformer index` made.

    Args:
        path: index folder.
        model: present place of the model, if it has moved since the index was made.
        device: where the model runs.

    Returns:
        The index, read-only.

    Raises:
        InputError: there is no index, it is damaged, or it has another format.

    >>> index = vldeformer.open_index(index_folder)
    >>> len(index), index.structure
    (13, 'flat')
    """
    return SearchIndex.open(path, model, device)
