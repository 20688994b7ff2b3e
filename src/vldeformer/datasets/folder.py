"""A user's own data set: a folder of photographs and a file of captions, any number of them an image."""

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from vldeformer.data.manifest import Manifest
from vldeformer.data.photograph_files import Names, files_below
from vldeformer.data.records import Caption, Image
from vldeformer.datasets.caption_table import CaptionLine, read_caption_lines
from vldeformer.datasets.source import PhotographSource, Warn, ignore
from vldeformer.errors import InputError
from vldeformer.section import Section

ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"))


class SplitFractions(Section):
    """Shares of the photographs; the rest is ``train``. A photograph's split depends on its id and the seed alone."""

    val: float = Field(gt=0, lt=1, description="share of photographs for validation")
    test: float = Field(gt=0, lt=1, description="share of photographs for the test")
    seed: int = Field(ge=0, description="another seed, another choice")

    @field_validator("test")
    @classmethod
    def _leaves_training_images(cls, value: float, info: ValidationInfo) -> float:
        if value + info.data.get("val", 0) >= 1:
            raise ValueError("less than 1 together with val")
        return value


class FolderSource(PhotographSource):
    """Your own photographs, with a CSV or JSONL file of captions."""

    source: Literal["folder"]
    captions: str = Field(description="CSV or JSONL file below raw_dir: image, caption and, if you like, split")
    captions_per_image: int | None = Field(default=None, ge=1, description="most captions of an image that are used; null: all")
    split: SplitFractions | None = Field(
        default=None, description="shares `val` and `test`, and a `seed`; null: the file has a column `split`"
    )

    @property
    def raw_files(self) -> list[str]:
        """The file of captions."""
        return [self.captions]

    def read(self, raw_dir: Path, warn: Warn = ignore) -> Manifest:
        """Read the captions, and warn of photographs without one; see ``read_own_photographs``."""
        own = read_own_photographs(self, raw_dir)
        if own.without_caption:
            first = f"{raw_dir / self.images / own.without_caption[0]}"
            warn(f"{len(own.without_caption):,} photographs have no caption and are left out, {first} first")
        return own.manifest


@dataclass(frozen=True)
class OwnPhotographs:
    """What was found. ``without_caption``: photographs in the folder that no line names; they are left out."""

    manifest: Manifest
    without_caption: tuple[str, ...]


def read_own_photographs(dataset: FolderSource, raw_dir: Path) -> OwnPhotographs:
    """Images in the order in which the captions file first names them; an image's id is its path below the photographs' folder.

    Raises InputError as ``read_caption_lines`` does, and naming file and line of the first problem, and how many more there
    are, for an empty caption or the same one twice, a photograph that is not there, or a split that changes.
    """
    path, folder = raw_dir / dataset.captions, raw_dir / dataset.images
    if not folder.is_dir():
        raise InputError(f"{folder}: expected the folder of photographs, found none; check dataset.raw_dir and dataset.images")
    found = {file.name: file.problem for file in files_below(folder)}
    there = Names(name for name, problem in found.items() if problem is None)
    texts: dict[str, dict[str, int]] = {}  # image → caption → its line
    splits: dict[str, str | None] = {}
    problems: list[str] = []
    for line in read_caption_lines(path, with_split=dataset.split is None):
        meant = there.find(line.image)
        if meant is not None:
            line = dataclasses.replace(line, image=meant)
        elif problem := found.get(line.image):
            problems.append(f"line {line.number}: photograph {line.image!r} cannot be read: {problem}")
        else:
            problems.append(f"line {line.number}: photograph {line.image!r} is not in {folder}{there.hint(line.image)}")
        of_image = texts.setdefault(line.image, {})
        problems += [f"line {line.number}: {problem}" for problem in _problems(line, of_image)]
        if splits.setdefault(line.image, line.split) != line.split:
            earlier = f"on an earlier line in {splits[line.image]}"
            problems.append(f"line {line.number}: photograph {line.image!r} is in split {line.split}, {earlier}")
    if problems:
        others = f" ({len(problems) - 1:,} more problems)" if len(problems) > 1 else ""
        raise InputError(f"{path}: {problems[0]}{others}")
    if not texts:
        raise InputError(f"{path}: expected captions, found none; add a line for each")
    images = tuple(Image(image, splits[image] or _drawn(image, dataset.split), image) for image in texts)
    captions = (
        Caption(f"{image}#{number}", image, text)
        for image, of_image in texts.items()
        for number, text in enumerate(list(of_image)[: dataset.captions_per_image])
    )
    manifest = Manifest(dataset.name, images, tuple(captions))
    for split in ("train", "val", "test") if dataset.split else ():
        if split not in manifest.splits:
            remedy = "use other shares or another seed in dataset.split"
            raise InputError(f"{path}: none of the {len(images):,} photographs falls into {split}; {remedy}")
    return OwnPhotographs(
        manifest, tuple(sorted(file for file in found.keys() - texts.keys() if Path(file).suffix.lower() in ENDINGS))
    )


def drawn_split(image_id: str, fractions: SplitFractions) -> str:
    """``train``, ``val`` or ``test`` by a hash of id and seed: a photograph keeps its split when others come or go."""
    number = int.from_bytes(hashlib.sha256(f"{fractions.seed} {image_id}".encode()).digest()[:8], "big") / 2**64
    if number < fractions.test:
        return "test"
    return "val" if number < fractions.test + fractions.val else "train"


def _drawn(image_id: str, fractions: SplitFractions | None) -> str:
    assert fractions is not None, "without shares, every line has its split"
    return drawn_split(image_id, fractions)


def _problems(line: CaptionLine, known: dict[str, int]) -> Iterator[str]:
    """What is wrong with the captions of a line; adds them to ``known``, the lines of the image's captions so far."""
    for caption in line.captions:
        if not caption:
            yield f"a caption of {line.image!r} is empty; write one or delete it"
        elif caption in known:
            yield f"{line.image!r} has the same caption as on line {known[caption]}; delete one of them"
        known.setdefault(caption, line.number)
    if not line.captions:
        yield f"{line.image!r} has no caption; write one or delete the line"
