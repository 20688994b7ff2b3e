"""Captions of a VinVL download: ``*_captions.pt``, and ``*_img_keys*.tsv``, which says which images and in which order."""

import json
import pickle
from pathlib import Path
from typing import Any

from vldeformer.artifact import PICKLE, ZIP, kind_of_file
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.datasets.image_keys import image_id, read_image_keys
from vldeformer.errors import InputError

CAPTIONS = 5  # of an image with more the first five count, as in the released code
LOADING_ERRORS = (
    pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, IndexError, TypeError
)  # fmt: skip


def read_captions(captions: Path, keys: Path, dataset: str, split: str) -> Manifest:
    """The images of ``keys`` in its order, all in ``split``, with their first five captions.

    Raises InputError, naming file and id (and row of ``keys``), on a torch file that is no dictionary of id → captions or
    that carries code, an id that is twice in ``keys`` or not in ``captions``, fewer than five captions, an empty one.
    """
    given = _load(captions)
    images: list[Image] = []
    sentences: list[Caption] = []
    for name in read_image_keys(keys):
        if name not in given:
            raise InputError(f"{keys}: row {len(images) + 1}, image {name!r}: not in {captions}; use the keys of the same split")
        texts = _texts(captions, name, given[name])
        images.append(Image(name, split))
        sentences.extend(Caption(f"{name}#{number}", name, text) for number, text in enumerate(texts))
    return Manifest(dataset, tuple(images), tuple(sentences))


def _load(path: Path) -> dict[str, Any]:
    import torch  # planning a run imports no torch

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: expected a torch file of captions, found none") from None
    except LOADING_ERRORS:
        # What torch says of it may be a bare number, or many lines that advise to load the file unsafely.
        found = kind_of_file(path)
        if found not in (ZIP, PICKLE):
            raise InputError(f"{path}: expected a torch file of captions (.pt), got {found}") from None
        message = "expected a torch file of plain ids and texts, but it carries code, is damaged or cut short; it is not loaded"
        raise InputError(f"{path}: {message}, get it from its source again") from None
    if not isinstance(loaded, dict):
        raise InputError(f"{path}: expected a dictionary, image id → captions, got {type(loaded).__name__}")
    given = {image_id(str(key)): value for key, value in loaded.items()}
    if len(given) < len(loaded):
        raise InputError(f"{path}: {len(loaded)} ids, but only {len(given)} different ones; ids must be unique")
    return given


def _texts(path: Path, name: str, value: Any) -> list[str]:
    try:
        texts = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: image {name!r}: expected captions as JSON, got something else ({error})") from None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"{path}: image {name!r}: expected a list of captions, got {str(texts)[:60]!r}")
    if len(texts) < CAPTIONS:
        raise InputError(f"{path}: image {name!r} has {len(texts)} captions, expected {CAPTIONS}; leave it out of the keys")
    texts = [" ".join(text.split()) for text in texts[:CAPTIONS]]
    if not all(texts):
        raise InputError(f"{path}: image {name!r}: caption {texts.index('') + 1} is empty; leave the image out of the keys")
    return texts
