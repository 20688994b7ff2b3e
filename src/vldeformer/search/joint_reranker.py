"""Re-ranking what an index proposes: a joint model reads the query together with each image."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vldeformer.errors import InputError
from vldeformer.inputs.collate import TextReader
from vldeformer.models.importing import EXTRACTOR, load_any
from vldeformer.models.joint import JointMatcher
from vldeformer.retrieval.image_transform import ImageTransform
from vldeformer.retrieval.pair_scores import score_rows
from vldeformer.runtime import this_machine
from vldeformer.scenes.detector import Detector
from vldeformer.search.images import ImageSource
from vldeformer.search.index import Hit

IMAGES_AT_ONCE = 8  # photographs of their own size in memory


class JointReranker:
    """Called with a query and hits it gives the same hits with ``joint`` filled in, best first; equal ones keep their order."""

    def __init__(self, model: str | Path, images: ImageSource, detector: Detector | None = None) -> None:
        """model: anything that ``load`` takes, with a matching head; detector: used if the model carries none of its own.

        Raises InputError if it has no matching head.
        """
        loaded, description, words = load_any(model)
        if not isinstance(loaded, JointMatcher):
            raise InputError(f"{model}: it has no matching head, and so no joint scores; give a joint model to --joint")
        backbone, extractor = description.backbone, Path(model) / EXTRACTOR
        together = backbone.tokens_together(description.joint_layers)
        # Read jointly from the first layer on, tags may take the room that the query leaves.
        roomy = backbone.model_copy(update={"tag_tokens": together}) if together else backbone
        own = Detector.load(extractor) if extractor.is_file() else detector
        self.matcher, self.words, self.images = loaded, words, images
        self.text = TextReader(words, together or backbone.caption_tokens)
        self.transform = ImageTransform(description.model_copy(update={"backbone": roomy}), words, own)
        self.runtime = this_machine()

    def __call__(self, text: str, hits: Sequence[Hit]) -> list[Hit]:
        """Raises InputError as ``score`` does."""
        scores = self.score(text, [hit.id for hit in hits])
        order = np.argsort(-scores, kind="stable")
        return [replace(hits[row], joint=float(scores[row])) for row in order.tolist()]

    def score(self, text: str, image_ids: Sequence[str]) -> np.ndarray:
        """(n,) float32 log-odds that each image matches the text. Raises InputError naming an image that cannot be read now."""
        pieces = self.words.encode([text.encode("utf-8", "replace").decode()], self.text.most_tokens)
        scores = [np.empty(0, dtype=np.float32)]
        for start in range(0, len(image_ids), IMAGES_AT_ONCE):
            given = [self.images[name] for name in image_ids[start : start + IMAGES_AT_ONCE]]
            names, pairs = [str(row) for row in range(len(given))], (np.arange(len(given)), np.zeros(len(given), dtype=np.int64))
            reader = self.transform.reader(given, full=False)
            scores.append(score_rows(self.matcher, names, pieces, pairs, self.text, reader, self.runtime))
        found = np.concatenate(scores)
        wrong = np.flatnonzero(~np.isfinite(found))
        if len(wrong):
            raise InputError(f"image {image_ids[wrong[0]]!r} with {text[:80]!r}: its score is NaN or infinite; check the model")
        return found
