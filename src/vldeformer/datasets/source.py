"""What every kind of data set states about itself; the steps ask these questions and never look at the kind.

A new kind of data set is one file with a subclass of ``Source`` and one line in the table in ``sources``.
"""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from vldeformer.data.manifest import Manifest
from vldeformer.data.parts import join_manifests
from vldeformer.data.photograph_files import Names, files_below
from vldeformer.errors import InputError
from vldeformer.section import Section

PartName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", description="name of the dataset, used in paths")]
Warn = Callable[[str], object]


def ignore(_: str) -> None:
    """Drop a warning."""


class Source(Section, abc.ABC):
    """Settings of one data set, and the reader of its files.

    gives_pixels: it has photographs or pictures. gives_regions: it brings regions, or a detector for its pictures alone finds
    them; those of other photographs are found as the section ``regions`` says. made_here: ``make`` writes the raw files, nobody
    has to bring them.
    """

    gives_pixels: ClassVar[bool] = True
    gives_regions: ClassVar[bool] = False
    made_here: ClassVar[bool] = False

    source: str
    name: Name
    raw_dir: str = Field(description="folder of the captions and the photographs")

    @property
    @abc.abstractmethod
    def raw_files(self) -> list[str]:
        """Paths below ``raw_dir`` of the files that list the images and captions."""

    @property
    def square_side(self) -> int | None:
        """Side of the pictures in pixels if all are squares of one size, else None."""
        return None

    @property
    def named_parts(self) -> Mapping[str, Section]:
        """Settings by name of the data sets that this one joins; empty if it is a single one."""
        return {}

    @abc.abstractmethod
    def read(self, raw_dir: Path, warn: Warn = ignore) -> Manifest:
        """Read the raw files.

        Args:
            raw_dir: folder of the files; it replaces the setting of that name.
            warn: receives one line about each kind of item that is left out.

        Raises:
            InputError: a file is missing, damaged, or has other splits than the settings state.

        """

    def recorded_files(self, raw_dir: Path) -> dict[str, Path]:
        """Name in the provenance → each file that ``read`` reads."""
        return {file: raw_dir / file for file in self.raw_files}

    def write_pixels(self, folder: Path, raw_dir: Path, manifest: Manifest, on_image: Callable[[], object]) -> None:
        """Write the store of the pictures of ``manifest`` to ``folder``; only for a source that gives pixels.

        Args:
            folder: the new store.
            raw_dir: folder of the raw files.
            manifest: what ``read`` returned.
            on_image: called after each image.

        Raises:
            InputError: a photograph is missing or damaged.

        """
        raise TypeError(f"dataset.source {self.source} gives no pixels")

    def make(self, path: Path) -> None:
        """Write the raw file to ``path``. Raises InputError if the data set is not made here."""
        raise InputError(f"data set {self.name}: expected dataset.source scenes, got {self.source}, which is not made here")


class PhotographSource(Source):
    """A data set with one folder of photographs."""

    images: str = Field(description="folder of photographs below raw_dir")
    photographs: Literal["squares", "as_they_are"] = Field(
        default="squares",
        description="squares: scaled and cut to one size, in one array; as_they_are: read where they lie, at their own size",
    )
    image_size: int | None = Field(
        default=None, ge=16, le=1024, validate_default=True, description="side of the squares, pixels; null if as_they_are"
    )

    @field_validator("image_size")
    @classmethod
    def _goes_with_squares(cls, value: int | None, info: ValidationInfo) -> int | None:
        photographs = info.data.get("photographs")
        if photographs == "squares" and value is None:
            raise ValueError("a number of pixels, because dataset.photographs is squares")
        if photographs == "as_they_are" and value is not None:
            raise ValueError("none, because dataset.photographs is as_they_are")
        return value

    @property
    def square_side(self) -> int | None:
        """Side of the squares in pixels; None if photographs keep their own size."""
        return self.image_size

    def write_pixels(self, folder: Path, raw_dir: Path, manifest: Manifest, on_image: Callable[[], object]) -> None:
        """Write squares in one array, or a list of the photographs at their own size; see ``Source.write_pixels``."""
        from vldeformer.data.photographs import read_squares  # planning a run imports no Pillow
        from vldeformer.data.pixels import write_pixels

        root, side = raw_dir / self.images, self.image_size
        if side is None:
            list_photographs(folder, root, manifest, on_image)
        else:
            files = photograph_files(root, manifest)
            squares = read_squares([root / file for file in files.values()], side)
            write_pixels(folder, list(files), squares, (side, side), on_image)


MISSING = "; put the data set's images there"


def list_photographs(folder: Path, root: Path, manifest: Manifest, on_image: Callable[[], object]) -> None:
    """Write a store that refers to the photographs below ``root``. Raises InputError if one is missing or damaged."""
    from vldeformer.data.photographs import write_photographs  # planning a run imports no Pillow

    write_photographs(folder, root, photograph_files(root, manifest), on_image)


def photograph_files(root: Path, manifest: Manifest) -> dict[str, str]:
    """Image id → file below ``root``. What is not there under its name is looked for under the names that it may be meant by.

    Raises InputError naming the first image whose file is not there, with the name that was probably meant.
    """
    files = {image.id: image.file or "" for image in manifest.images}
    lost = [image_id for image_id, file in files.items() if not (root / file).is_file()]
    if not lost or not root.is_dir():
        return files
    found = {file.name: file.problem for file in files_below(root)}
    there = Names(name for name, problem in found.items() if problem is None)
    for image_id in lost:
        name = files[image_id]
        meant = there.find(name)
        if meant is None and (problem := found.get(name)):
            raise InputError(f"{root / name}: photograph of image {image_id!r} cannot be read: {problem}")
        if meant is None:
            raise InputError(f"{root / name}: photograph not found{there.hint(name) or MISSING}")
        files[image_id] = meant
    return files


def manifest_of_parts(
    name: str, parts: Mapping[str, Manifest], expected_splits: Mapping[str, int] | None, raw_dir: Path, counted: str
) -> Manifest:
    """Join the manifests of the parts of a data set; a single part keeps its ids.

    Args:
        name: name of the whole data set.
        parts: name → manifest of each part.
        expected_splits: number of images of each split of the whole; None: not checked.
        raw_dir: folder of the raw files, for the message.
        counted: what has other numbers, for the message.

    Raises:
        InputError: a split has another number of images than expected.

    """
    whole = join_manifests(parts) if len(parts) > 1 else next(iter(parts.values()))
    if expected_splits is not None and whole.splits != dict(expected_splits):
        found = f"{counted} {whole.splits}"
        raise InputError(f"{raw_dir}: expected images {dict(expected_splits)}, {found}; see dataset.expected_splits")
    return dataclasses.replace(whole, dataset=name)
