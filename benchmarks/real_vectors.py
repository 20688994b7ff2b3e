"""Vectors with the spectrum of real ones, as many as wanted: latent semantics of all Flickr30k captions, resampled with noise.

Isotropic random vectors are no test of a search: all are equally far from each other. Here a vector is a real one plus half of
the difference of two others, so that the noise, too, has the directions and the uneven variances of the data. Queries are drawn
in the same way from captions of images that the others know nothing of.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vldeformer.artifact import whole_file

WIDTH, NOISE, DRAWN = 768, np.float32(0.5), 20_000


def caption_vectors(captions: Path, keep: Path) -> tuple[np.ndarray, np.ndarray]:
    """(145000, 768) and (10070, 768) float32: TF-IDF of the training and the other captions, reduced by SVD; kept in a folder."""
    paths = keep / "base.npy", keep / "held.npy"
    if not all(path.is_file() for path in paths):
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        images = json.loads(captions.read_text(encoding="utf-8"))["images"]
        known, held = (
            [said["raw"] for image in images if (image["split"] == "train") == known for said in image["sentences"]]
            for known in (True, False)
        )
        words = TfidfVectorizer(sublinear_tf=True, min_df=2, dtype=np.float32)
        reduced = TruncatedSVD(WIDTH, n_iter=2, random_state=0)
        vectors = reduced.fit_transform(words.fit_transform(known)), reduced.transform(words.transform(held))
        for path, own in zip(paths, vectors, strict=True):
            with whole_file(path) as temporary, temporary.open("wb") as file:
                np.save(file, own.astype(np.float32))
    base, queries = (np.load(path) for path in paths)
    return base, queries


def resampled(base: np.ndarray, rows: int, seed: int) -> Iterator[np.ndarray]:
    """Unit vectors (n, 768) float32, up to 20,000 at a time, ``rows`` in all; the first are the same whatever ``rows`` is."""
    generator = np.random.default_rng(seed)
    for start in range(0, rows, DRAWN):
        one, plus, minus = generator.integers(len(base), size=(3, DRAWN))
        drawn = base[one] + NOISE * (base[plus] - base[minus])
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        yield drawn[: rows - start]
