"""Photographs that stay where they are: a small file says which photograph has which id, and each is decoded when it is read.

Nothing is copied, so a store of COCO's 123,287 photographs takes a few MB. A store is a folder with ``photographs.json``: the
photographs' folder (relative to the store's, so that both can be moved together) and the files below it by image id.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image

from vldeformer.artifact import read_json, whole_folder, write_json
from vldeformer.data.picture_kinds import RAW_ENDINGS, foreign_kind
from vldeformer.data.pictures import DECODING_ERRORS, READ_FORMATS, check_bounds, square, upright
from vldeformer.data.pixels import PixelStore
from vldeformer.errors import InputError

FILE_NAME = "photographs.json"
THREADS = 16  # Pillow lets go of the lock while it reads and decodes


class UnavailableError(InputError):
    """The system did not hand over a file: it has gone, may not be read, or its disk failed. The same file may be read later."""


class PhotographStore:
    """Read-only view of a folder written by ``write_photographs``: image id → (height, width, 3) uint8, RGB, of its own size."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError if the file is missing or of another layout; photographs are looked at when they are read."""
        path = folder / FILE_NAME
        value = read_json(path)
        try:
            self.root: Path = (folder.resolve() / value["root"]).resolve()
            self.files: dict[str, str] = dict(zip(value["ids"], value["files"], strict=True))
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{path}: expected a store written by `vldeformer prepare`; make it again") from None
        self.ids = list(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, image_id: str) -> np.ndarray:
        """Upright by its EXIF orientation. Raises InputError naming the file, or the id if it is not in the store."""
        return np.asarray(open_photograph(self.path(image_id)))

    def path(self, image_id: str) -> Path:
        """Where the photograph lies. Raises InputError if the id is not in the store."""
        try:
            return self.root / self.files[image_id]
        except KeyError:
            raise InputError(f"image {image_id!r} is not in the store of {len(self)} photographs") from None


def open_pictures(folder: Path) -> PhotographStore | PixelStore:
    """The store of pictures at ``folder``, whichever kind it is. Raises InputError as the stores do."""
    return PhotographStore(folder) if (folder / FILE_NAME).is_file() else PixelStore(folder)


def write_photographs(folder: Path, root: Path, files: Mapping[str, str], on_image: Callable[[], object] = lambda: None) -> None:
    """Write a store of the photographs ``files`` (image id → path below ``root``).

    Every photograph's header is read first; pixels are not. Raises InputError naming the first that is missing or cannot be
    read, with the number of all such.
    """
    problems = []
    with ThreadPoolExecutor(THREADS) as pool:
        for problem in pool.map(_problem, (root / file for file in files.values())):
            problems += [problem] if problem else []
            on_image()
    if problems:
        others = f"; {len(problems) - 1:,} more of {len(files):,} photographs cannot be read" if len(problems) > 1 else ""
        raise InputError(f"{problems[0]}{others}")
    with whole_folder(folder) as temporary:
        place = os.path.relpath(root.resolve(), temporary.resolve())
        value = {"root": Path(place).as_posix(), "ids": list(files), "files": list(files.values())}
        write_json(temporary / FILE_NAME, value)


def open_photograph(path: Path) -> PIL.Image.Image:
    """A photograph as RGB, upright by its EXIF orientation.

    Raises InputError naming the file if it is missing, cut short, no picture, or too large to be one (Pillow's limit);
    UnavailableError, which is one, where that is not the file's own fault.
    """
    try:
        _refuse_raw(path)
        with PIL.Image.open(path, formats=READ_FORMATS) as photograph:
            check_bounds(photograph, str(path))
            return upright(photograph, str(path))
    except InputError:  # has said it, and is a ValueError too
        raise
    except DECODING_ERRORS as error:
        raise _unreadable(path, error) from None


def read_squares(paths: Sequence[Path], size: int) -> Iterator[np.ndarray]:
    """(size, size, 3) uint8 RGB of each photograph: scaled to cover the square, its centre cut out. Raises InputError."""
    window = 16 * THREADS  # so that pixels of a few hundred are in memory, and not of all that are decoded faster than written
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(paths), window):
            yield from pool.map(lambda path: square(open_photograph(path), size), paths[start : start + window])


def _problem(path: Path) -> str | None:
    try:
        _refuse_raw(path)
        with PIL.Image.open(path, formats=READ_FORMATS):
            return None
    except DECODING_ERRORS as error:
        return str(_unreadable(path, error))


def _refuse_raw(path: Path) -> None:
    """Raises OSError if the file is a camera's raw one: Pillow would read its preview as if it were the picture."""
    if path.suffix.lower() in RAW_ENDINGS and path.is_file():
        raise PIL.UnidentifiedImageError


def _unreadable(path: Path, error: Exception) -> InputError:
    if isinstance(error, FileNotFoundError):
        return UnavailableError(f"{path}: photograph not found; put the data set's images there")
    if isinstance(error, OSError) and error.errno is not None:  # Pillow's own have no number
        return UnavailableError(f"{path}: cannot be opened ({error.strerror}); see to it that it can be read")
    if (kind := foreign_kind(path)) is not None:
        return InputError(f"{path}: expected a photograph, got {kind}")
    if isinstance(error, PIL.UnidentifiedImageError):
        return InputError(f"{path}: expected a photograph, got something else; replace the file")
    return InputError(f"{path}: expected a photograph, cannot read it ({error}); replace the file")
