"""A detector in small: regions of a picture with features and a tag word, from pixels alone.

It is fitted as a real detector is, on annotated pictures: the labels of ``pretrain`` scenes, and of no others. Like a real one it
errs: objects that touch become one region, and shapes are taken for one another. A fitted detector is a handful of arrays
in one .npz file (no pickle), so a model folder can carry it along.

A picture in which nothing is found gets one region, the whole picture, with the tag ``nothing``.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from vldeformer.artifact import whole_file
from vldeformer.data.pixels import PixelStore
from vldeformer.data.records import Regions
from vldeformer.errors import InputError
from vldeformer.scenes.blobs import COLOUR_WIDTH, Appearance, Blob, describe, find_blobs
from vldeformer.scenes.drawing import object_boxes
from vldeformer.scenes.records import Scene, SceneObject
from vldeformer.scenes.world_settings import RegionSettings
from vldeformer.seeding import named_generator
from vldeformer.stored_digests import check_stored
from vldeformer.workers import in_processes

NOTHING = "nothing"
FIT_SPLIT = "pretrain"
# As in every experiment so far: the images on which the detector is fitted, and the pixels of a resized silhouette's side.
FIT_IMAGES = 1000
CROP_SIZE = 16
OVERLAP = 0.5
"""Least intersection over union at which a found region takes the label of an object."""
CHUNK = 64
"""Pictures that a worker gets at once. Each is worked on alone, so neither this nor the number of workers changes a result."""

Pictures = Mapping[str, np.ndarray] | PixelStore


@dataclass(frozen=True, eq=False)
class Detector:
    """A fitted detector. Features: V = pca_components + 14 numbers a region, each of mean 0 and deviation 1 on pretrain.

    ``shape_*`` and ``colour_*`` are the coefficients (classes, V) and intercepts (classes,) of two logistic regressions.
    ``picture_size`` is the side in pixels of the square pictures that it was fitted on, and reads best.
    """

    picture_size: int
    crop_size: int
    max_regions: int
    shape_words: tuple[str, ...]
    colour_words: tuple[str, ...]
    pca_mean: np.ndarray
    pca_components: np.ndarray
    feature_mean: np.ndarray
    feature_scale: np.ndarray
    shape_coef: np.ndarray
    shape_intercept: np.ndarray
    colour_coef: np.ndarray
    colour_intercept: np.ndarray

    @property
    def feature_width(self) -> int:
        """V, box numbers not counted."""
        return len(self.feature_mean)

    def regions(self, pixels: np.ndarray) -> Regions:
        """Regions of one picture (height, width, 3) uint8, largest first; features (R, V) float32, R at least 1."""
        height, width = pixels.shape[:2]
        blobs = find_blobs(pixels)[: self.max_regions]
        empty = not blobs
        if empty:
            blobs = [Blob(0, 0, np.ones((height, width), dtype=bool))]
        raw = _raw_features([describe(pixels, blob, self.crop_size) for blob in blobs], self.pca_mean, self.pca_components)
        features = (raw - self.feature_mean) / self.feature_scale
        boxes = np.array([blob.box for blob in blobs], dtype=np.float32) / np.array(
            [width, height, width, height], dtype=np.float32
        )
        shapes = (features @ self.shape_coef.T + self.shape_intercept).argmax(axis=1)
        colours = (features @ self.colour_coef.T + self.colour_intercept).argmax(axis=1)
        tags = tuple(f"{self.colour_words[c]} {self.shape_words[s]}" for c, s in zip(colours, shapes, strict=True))
        return Regions(features.astype(np.float32), boxes, (NOTHING,) if empty else tags)

    @classmethod
    def fit(cls, pictures: Pictures, scenes: Sequence[Scene], settings: RegionSettings, workers: int = 1) -> "Detector":
        """Learn from pretrain scenes and their pictures (image id → (height, width, 3) uint8).

        Raises InputError if a scene is of another split or if there are fewer regions than ``pca_components``.
        """
        from sklearn.decomposition import PCA  # seconds, which who uses a detector that was fitted does without

        other = next((scene.id for scene in scenes if scene.split != FIT_SPLIT), None)
        if other is not None:
            raise InputError(f"the detector is fitted on the labels of {FIT_SPLIT} scenes only, got {other!r}; leave it out")
        if len(scenes) > FIT_IMAGES:
            chosen = named_generator(settings.seed, "detector", "images").permutation(len(scenes))[:FIT_IMAGES]
            scenes = [scenes[row] for row in sorted(chosen)]
        chunks = (scenes[start : start + CHUNK] for start in range(0, len(scenes), CHUNK))
        jobs = (joblib.delayed(_labelled)([np.asarray(pictures[s.id]) for s in chunk], chunk, CROP_SIZE) for chunk in chunks)
        found = [pair for chunk in in_processes(workers, jobs) for pair in chunk]
        if len(found) < settings.pca_components:
            raise InputError(
                f"the detector found {len(found)} labelled regions in {len(scenes)} {FIT_SPLIT} images, "
                f"fewer than pca_components = {settings.pca_components}; make more {FIT_SPLIT} images or ask for fewer components"
            )
        looks, items = [look for look, _ in found], [item for _, item in found]
        pca = PCA(settings.pca_components, svd_solver="covariance_eigh").fit(np.stack([look.silhouette for look in looks]))
        raw = _raw_features(looks, pca.mean_, pca.components_)
        mean, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-6)
        features = (raw - mean) / scale
        shape_words, shape_coef, shape_intercept = _classifier(features, [item.shape for item in items])
        # Colour is told from the colour's own numbers: no coefficient ties it to a silhouette that happened to come with it.
        own = slice(settings.pca_components, settings.pca_components + COLOUR_WIDTH)
        colour_words, some, colour_intercept = _classifier(features[:, own], [item.colour for item in items])
        colour_coef = np.zeros((len(colour_words), features.shape[1]))
        colour_coef[:, own] = some
        return cls(
            np.asarray(pictures[scenes[0].id]).shape[0],
            CROP_SIZE,
            settings.max_regions,
            shape_words,
            colour_words,
            pca.mean_,
            pca.components_,
            mean,
            scale,
            shape_coef,
            shape_intercept,
            colour_coef,
            colour_intercept,
        )

    def save(self, path: Path) -> None:
        """Write as one .npz file: the arrays, and the rest as JSON in an array of text."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays: dict[str, Any] = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        rest = json.dumps({name: value for name, value in values.items() if name not in arrays}, sort_keys=True)
        with whole_file(path) as temporary, temporary.open("wb") as file:
            np.savez(file, rest=np.array(rest), **arrays)

    @classmethod
    def load(cls, path: Path) -> "Detector":
        """Read what ``save`` wrote. Raises InputError if it is missing, cut short or of another layout."""
        check_stored(path)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                values: dict[str, Any] = {name: archive[name] for name in archive.files}
            rest = json.loads(str(values.pop("rest")))
            words = {name: tuple(rest[name]) for name in ("shape_words", "colour_words")}
            return cls(**{**values, **rest, **words})
        except FileNotFoundError:
            raise InputError(f"{path}: expected a region detector, found no file; make it with `vldeformer features`") from None
        except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: expected a region detector written by `vldeformer features`, got {error!r}") from None


def detect_regions(detector: Detector, pictures: Pictures, ids: Sequence[str], workers: int = 1) -> Iterator[tuple[str, Regions]]:
    """(image id, Regions) in the order of ``ids``, for ``write_regions``; the same numbers with any number of workers."""
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    jobs = (joblib.delayed(_regions_of)(detector, [np.asarray(pictures[name]) for name in chunk]) for chunk in chunks)
    for chunk, regions in zip(chunks, in_processes(workers, jobs), strict=True):
        yield from zip(chunk, regions, strict=True)


def _regions_of(detector: Detector, pictures: list[np.ndarray]) -> list[Regions]:
    return [detector.regions(pixels) for pixels in pictures]


def _raw_features(looks: Sequence[Appearance], pca_mean: np.ndarray, pca_components: np.ndarray) -> np.ndarray:
    """(R, V) before scaling: silhouette components, colour, form."""
    silhouettes = (np.stack([look.silhouette for look in looks]) - pca_mean) @ pca_components.T
    return np.concatenate(
        [silhouettes, np.stack([look.colour for look in looks]), np.stack([look.form for look in looks])], axis=1
    )


def _labelled(pictures: list[np.ndarray], scenes: Sequence[Scene], crop_size: int) -> list[tuple[Appearance, SceneObject]]:
    """Found regions that overlap an object well enough, each with that object."""
    pairs = []
    for pixels, scene in zip(pictures, scenes, strict=True):
        truth = object_boxes(scene, pixels.shape[0])
        for blob in find_blobs(pixels):
            overlaps = intersection_over_union(np.array([blob.box]), truth)[0]
            if overlaps.max() >= OVERLAP:
                pairs.append((describe(pixels, blob, crop_size), scene.objects[int(overlaps.argmax())]))
    return pairs


def intersection_over_union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, B) from boxes (A, 4) and (B, 4), x1 y1 x2 y2 in one unit."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    shares: np.ndarray = common / (_areas(a)[:, None] + _areas(b)[None, :] - common)
    return shares


def _areas(boxes: np.ndarray) -> np.ndarray:
    areas: np.ndarray = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return areas


def _classifier(features: np.ndarray, labels: list[str]) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Words, coefficients (words, V) and intercepts (words,) of a logistic regression; a single word needs none."""
    words = tuple(sorted(set(labels)))
    if len(words) == 1:
        return words, np.zeros((1, features.shape[1])), np.zeros(1)
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=1000).fit(features, labels)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(words) == 2:  # scikit-learn keeps one row for two classes
        coefficients, intercepts = (
            np.concatenate([-coefficients, coefficients]) / 2,
            np.concatenate([-intercepts, intercepts]) / 2,
        )
    return tuple(map(str, model.classes_)), coefficients, intercepts
