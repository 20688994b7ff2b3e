"""Composed negatives as files: ``text.parquet`` and ``image.parquet``, written by the step `negatives`, read by a training."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from vldeformer.errors import InputError
from vldeformer.inputs.collate import ComposedImage
from vldeformer.negatives.hard_texts import ComposedText
from vldeformer.stored_digests import check_stored

TEXT_COLUMNS = ["caption_id", "kind", "places", "words", "text"]
IMAGE_COLUMNS = ["image_id", "partner_id", "kept", "taken", "true_of"]


def write_negatives(folder: Path, texts: Sequence[ComposedText], images: Sequence[ComposedImage]) -> None:
    """Write both files; each has the columns of its rows' class."""
    _write(folder / "text.parquet", texts, TEXT_COLUMNS)
    _write(folder / "image.parquet", images, IMAGE_COLUMNS)


def _write(path: Path, rows: Sequence[ComposedText | ComposedImage], columns: list[str]) -> None:
    values = {name: [getattr(row, name) for row in rows] for name in columns}
    table = {name: [list(value) if isinstance(value, tuple) else value for value in column] for name, column in values.items()}
    pd.DataFrame(table).to_parquet(path, index=False)


def read_hard_texts(folder: Path) -> dict[str, list[str]]:
    """Caption id → its composed captions, in the order of their variants."""
    table = _read(folder / "text.parquet", TEXT_COLUMNS, ["caption_id", "text"])
    texts: dict[str, list[str]] = {}
    for caption_id, text in zip(table["caption_id"], table["text"], strict=True):
        texts.setdefault(caption_id, []).append(text)
    return texts


def read_hard_images(folder: Path) -> dict[str, list[ComposedImage]]:
    """Image id → its composed images, in the order of their variants."""
    table = _read(folder / "image.parquet", IMAGE_COLUMNS, IMAGE_COLUMNS)
    images: dict[str, list[ComposedImage]] = {}
    for image_id, partner, *lists in table.itertuples(index=False):
        images.setdefault(image_id, []).append(ComposedImage(image_id, partner, *(tuple(one.tolist()) for one in lists)))
    return images


def _read(path: Path, columns: Sequence[str], wanted: list[str]) -> pd.DataFrame:
    """The ``wanted`` columns of a file that must have all ``columns``."""
    problem = "found none"
    if path.is_file():
        try:
            found = pq.read_schema(path).empty_table().to_pandas().columns  # without an index that pandas stored
            missing = [name for name in columns if name not in found]
            if not missing:
                check_stored(path)
                return pd.read_parquet(path, columns=wanted)
            problem = f"it has no column {missing[0]}"
        except InputError:  # is a ValueError too
            raise
        except (OSError, ValueError):
            problem = "it is cut short or no Parquet"
    raise InputError(f"{path}: expected composed negatives, {problem}; run `vldeformer negatives`")
