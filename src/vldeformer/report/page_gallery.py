"""Queries with their five best answers: where the main model is right, where it is wrong, where the joint model differs.

Queries are taken at even steps from all that fall under a heading, in the order of the data set, so that nobody picked them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vldeformer.data.manifest import Manifest
from vldeformer.data.records import PictureSource
from vldeformer.errors import InputError
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.pictures import Thumbnail, Thumbnails, evenly
from vldeformer.retrieval.ranking import Ranking
from vldeformer.retrieval.scored import Scored

SHOWN, QUERIES = 5, 4


@dataclass(frozen=True, eq=False)
class Judged:
    """A model: what tables call it, its scores, and its result on the pairs that all models share."""

    title: str
    scored: Scored
    result: RetrievalResult


@dataclass(frozen=True)
class Hit:
    """One answer: a picture, or a caption (``text``, then without picture). ``score``: as the model gives it."""

    picture: Thumbnail | None
    text: str
    score: float
    right: bool


@dataclass(frozen=True)
class Answer:
    """The best answers of one model, and the rank of the best right one."""

    title: str
    rank: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Query:
    """A caption (``text``) or a picture, the right picture of a caption, and what the models answer."""

    text: str
    picture: Thumbnail
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Group:
    """Queries under one heading: ``count`` of ``of`` queries fall under it."""

    title: str
    count: int
    of: int
    by_picture: bool
    queries: tuple[Query, ...]


class Gallery:
    """Looks up answers. ``joint``: None if it was not scored here."""

    def __init__(self, main: Judged, joint: Judged | None, manifest: Manifest, pictures: PictureSource | None) -> None:
        """Raises InputError if scores are not of the result's items, the models differ in them, or the manifest lacks one."""
        self.models = [main] if joint is None else [main, joint]
        self.texts = {caption.id: caption.text for caption in manifest.captions}
        self.picture, self.result = Thumbnails(manifest, pictures), main.result
        for model in self.models:
            _check_items(model, main.result)
        unknown = [caption_id for caption_id in self.result.caption_ids if caption_id not in self.texts]
        if unknown:
            raise InputError(f"caption {unknown[0]!r} of the results is not in the manifest; give the manifest of this run")

    def groups(self) -> list[Group]:
        """Captions that ask for pictures, then pictures that ask for captions. A heading without queries is left out."""
        main = self.models[0].result.ranks
        found = [
            ("The right picture comes first", main.t2i == 1, False),
            ("A wrong picture comes first", main.t2i > 1, False),
        ]
        if len(self.models) > 1:
            other = self.models[1].result.ranks
            found.append(("The joint model is right, the decomposed one is not", (main.t2i > 1) & (other.t2i == 1), False))
            found.append(("The decomposed model is right, the joint one is not", (main.t2i == 1) & (other.t2i > 1), False))
        found += [("A right caption comes first", main.i2t == 1, True), ("A wrong caption comes first", main.i2t > 1, True)]
        return [self._group(*each) for each in found if each[1].any()]

    def _group(self, title: str, chosen: np.ndarray, by_picture: bool) -> Group:
        rows = np.flatnonzero(chosen)
        queries = tuple(self._query(row, by_picture) for row in evenly(rows.tolist(), QUERIES))
        return Group(title, len(rows), len(chosen), by_picture, queries)

    def _query(self, row: int, by_picture: bool) -> Query:
        result = self.result
        image_row = row if by_picture else int(result.caption_image_index[row])
        text = "" if by_picture else self.texts[result.caption_ids[row]]
        answers = tuple(self._answer(model, row, image_row, by_picture) for model in self.models)
        return Query(text, self.picture(result.image_ids[image_row]), answers)

    def _answer(self, model: Judged, row: int, image_row: int, by_picture: bool) -> Answer:
        result, scored = model.result, model.scored
        images = _rows(scored.image_ids, result.image_ids)
        captions = _rows(scored.caption_ids, result.caption_ids)
        if by_picture:
            ranks, gallery = result.ranks.i2t, result.caption_ids
            scores = scored.block(images[row], images[row] + 1)[:, captions]
        else:
            ranks, gallery = result.ranks.t2i, result.image_ids
            scores = scored.caption_block(captions[row], captions[row] + 1)[:, images]
        best = Ranking.from_scores(["query"], gallery, scores, min(SHOWN, len(gallery)))
        hits = []
        for place, score in zip(best.rows[0].tolist(), best.scores[0].tolist(), strict=True):
            if by_picture:
                hits.append(Hit(None, self.texts[gallery[place]], score, int(result.caption_image_index[place]) == image_row))
            else:
                hits.append(Hit(self.picture(gallery[place]), "", score, place == image_row))
        return Answer(model.title, int(ranks[row]), tuple(hits))


def _rows(ids: Sequence[str], wanted: Sequence[str]) -> list[int]:
    places = {name: row for row, name in enumerate(ids)}
    return [places[name] for name in wanted]


def _check_items(model: Judged, result: RetrievalResult) -> None:
    own, scored = model.result, model.scored
    if (own.image_ids, own.caption_ids) != (result.image_ids, result.caption_ids):
        raise InputError(f"{model.title}: judged on other pairs than the main model; evaluate both on the same images")
    missing = {*own.image_ids} - {*scored.image_ids} or {*own.caption_ids} - {*scored.caption_ids}
    if missing:
        name = min(missing)
        raise InputError(f"{model.title}: {name!r} is in its result but not among its scores; run `embed` or `score` again")
