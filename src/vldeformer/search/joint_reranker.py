"""Re-ranking what an index proposes: a joint model reads the query together with each image."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vldeformer.errors import InputError
from vldeformer.extractors.base import Extractor
from vldeformer.extractors.files import load_extractor
from vldeformer.inputs.in_memory import in_memory_ids
from vldeformer.models.importing import load_any
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.image_transform import ImageTransform
from vldeformer.retrieval.pair_scores import score_rows
from vldeformer.runtime import this_machine
from vldeformer.search.images import ImageSource
from vldeformer.search.index import Hit

IMAGES_AT_ONCE = 8  # photographs of their own size in memory


class JointReranker:
    """Called with a query and hits it gives the same hits with ``joint`` filled in, best first; equal ones keep their order."""

    def __init__(self, model: str | Path, images: ImageSource, extractor: Extractor | None = None) -> None:
        """model: anything that ``load`` takes, with a matching head; extractor: used if the model carries none of its own.

        Raises InputError if it has no matching head.
        """
        loaded, description, words = load_any(model)
        if not isinstance(loaded, JointMatcher):
            raise InputError(f"{model}: it has no matching head, and so no joint scores; give a joint model to --joint")
        self.matcher, self.images = loaded, images
        self.transform = ImageTransform(description, words, load_extractor(Path(model)) or extractor, this_machine())

    def __call__(self, text: str, hits: Sequence[Hit]) -> list[Hit]:
        """Raises InputError as ``score`` does."""
        scores = self.score(text, [hit.id for hit in hits])
        order = np.argsort(-scores, kind="stable")
        return [replace(hits[row], joint=float(scores[row])) for row in order.tolist()]

    def score(self, text: str, image_ids: Sequence[str]) -> np.ndarray:
        """(n,) float32 log-odds that each image matches the text. Raises InputError naming an image that cannot be read now."""
        caption, scores = text.encode("utf-8", "replace").decode(), [np.empty(0, dtype=np.float32)]
        for start in range(0, len(image_ids), IMAGES_AT_ONCE):
            given = [self.images[name] for name in image_ids[start : start + IMAGES_AT_ONCE]]
            reader, pairs = self.transform.reader(given), (np.arange(len(given)), np.zeros(len(given), dtype=np.int64))
            pieces = reader.text.words.encode([caption], reader.text.most_tokens)
            scores.append(score_rows(self.matcher, in_memory_ids(given), pieces, pairs, reader))
        found = np.concatenate(scores)
        wrong = np.flatnonzero(~np.isfinite(found))
        if len(wrong):
            raise InputError(f"image {image_ids[wrong[0]]!r} with {text[:80]!r}: its score is NaN or infinite; check the model")
        return found
