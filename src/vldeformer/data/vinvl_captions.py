"""Captions of a VinVL download: ``*_captions.pt``, and ``*_img_keys*.tsv``, which says which images and in which order."""

import json
import pickle
from pathlib import Path
from typing import Any

import torch

from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.data.vinvl import image_id
from vldeformer.errors import InputError

CAPTIONS = 5  # of an image with more the first five count, as in the released code


def read_captions(captions: Path, keys: Path, dataset: str, split: str) -> Manifest:
    """The images of ``keys`` in its order, all in ``split``, with their first five captions.

    Raises InputError, naming file and id (and row of ``keys``), on a torch file that is no dictionary of id → captions or
    that carries code, an id that is twice in ``keys`` or not in ``captions``, fewer than five captions, an empty one.
    """
    given = _load(captions)
    images: list[Image] = []
    sentences: list[Caption] = []
    for name in _read_keys(keys):
        if name not in given:
            raise InputError(f"{keys}: row {len(images) + 1}, image {name!r}: not in {captions}; use the keys of the same split")
        texts = _texts(captions, name, given[name])
        images.append(Image(name, split))
        sentences.extend(Caption(f"{name}#{number}", name, text) for number, text in enumerate(texts))
    return Manifest(dataset, tuple(images), tuple(sentences))


def _load(path: Path) -> dict[str, Any]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: expected a torch file of captions, found none") from None
    except pickle.UnpicklingError:
        # What torch says of this runs over many lines and advises to load the file unsafely.
        message = "expected a torch file of plain ids and texts, but it carries code or is damaged; it is not loaded"
        raise InputError(f"{path}: {message}, get it from its source again") from None
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, IndexError, UnicodeDecodeError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(f"{path}: expected a torch file of captions, cannot read it ({first}); it may be cut short") from None
    if not isinstance(loaded, dict):
        raise InputError(f"{path}: expected a dictionary, image id → captions, got {type(loaded).__name__}")
    given = {image_id(str(key)): value for key, value in loaded.items()}
    if len(given) < len(loaded):
        raise InputError(f"{path}: {len(loaded)} ids, but only {len(given)} different ones; ids must be unique")
    return given


def _read_keys(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: expected a file with one image id a line, found none") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected one image id a line, got other bytes ({error})") from None
    rows: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        name = image_id(line.split("\t")[0].strip())
        if not name:
            raise InputError(f"{path}: row {number}: expected an image id, got an empty line")
        if name in rows:
            raise InputError(f"{path}: row {number}, image {name!r}: comes a second time, first in row {rows[name]}")
        rows[name] = number
    if not rows:
        raise InputError(f"{path}: expected one image id a line, the file is empty")
    return list(rows)


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
