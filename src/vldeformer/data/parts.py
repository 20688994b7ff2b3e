"""Several datasets as one: COCO with Flickr30k, SBU's chunks. Ids become ``NAME:ID``; features stay where they are.

A joined store is a folder with nothing but ``parts.json``: for each part its name, the path of its region store, relative to
the folder, and the digest of that store, so that a digest of the joined one tells when a part is another.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from vldeformer.artifact import read_json, whole_folder, write_json
from vldeformer.content_digest import digest
from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image, Regions
from vldeformer.data.regions import RegionStore
from vldeformer.errors import InputError

PARTS = "parts.json"


def join_manifests(manifests: Mapping[str, Manifest]) -> Manifest:
    """All images and captions under ``NAME:ID``, in the order given; files stay what they are."""
    _check_names(manifests)
    images, captions = [], []
    for name, manifest in manifests.items():
        for image in manifest.images:
            images.append(Image(f"{name}:{image.id}", image.split, image.file))
        for caption in manifest.captions:
            captions.append(Caption(f"{name}:{caption.id}", f"{name}:{caption.image_id}", caption.text))
    return Manifest("+".join(manifests), tuple(images), tuple(captions))


class JoinedRegionStore:
    """Read-only, with the interface of RegionStore: image id ``NAME:ID`` → Regions of the part of that name.

    Raises InputError if a part is no region store or has features of another width.
    """

    def __init__(self, folder: Path) -> None:
        try:
            paths = {str(name): folder / path for name, path, _ in read_json(folder / PARTS)}
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{folder / PARTS}: expected name, path and digest of each part; {error}; join the stores again"
            ) from None
        self.parts = _open_parts(folder, paths)
        self.ids: list[str] = [f"{name}:{image_id}" for name, part in self.parts.items() for image_id in part.ids]
        self.words: list[str] = list(dict.fromkeys(word for part in self.parts.values() for word in part.words))

    @property
    def feature_width(self) -> int:
        """V, box numbers not counted."""
        return next(iter(self.parts.values())).feature_width

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, image_id: str) -> Regions:
        name, _, part_id = image_id.partition(":")
        try:
            return self.parts[name][part_id]
        except (KeyError, InputError):
            parts = ", ".join(self.parts)
            raise InputError(f"image {image_id!r} is not in the region store joined of {parts}; ids are NAME:ID") from None


AnyRegionStore: TypeAlias = RegionStore | JoinedRegionStore


def open_region_store(folder: Path) -> AnyRegionStore:
    """A store of ``write_regions`` or of ``join_region_stores``."""
    return JoinedRegionStore(folder) if (folder / PARTS).is_file() else RegionStore(folder)


def is_region_store(folder: Path) -> bool:
    """Whether there is a store, joined or not."""
    return (folder / PARTS).is_file() or (folder / "words.json").is_file()


def join_region_stores(folder: Path, parts: Mapping[str, Path]) -> None:
    """Write a joined store of the stores at ``parts``; they are not copied and must stay where they are.

    Raises InputError as ``JoinedRegionStore`` does, or if a name is empty or has a colon.
    """
    _check_names(parts)
    _open_parts(folder, parts)
    with whole_folder(folder) as temporary:
        here = temporary.resolve()  # a sibling of ``folder``: the way to the parts is the same
        paths = {name: path.resolve() for name, path in parts.items()}
        write_json(temporary / PARTS, [[name, os.path.relpath(path, here), digest(path)] for name, path in paths.items()])


def _open_parts(joined: Path, parts: Mapping[str, Path]) -> dict[str, AnyRegionStore]:
    for name, path in parts.items():
        if not is_region_store(path):
            raise InputError(f"{path}: expected a region store (the part {name!r} of {joined}), found none")
    stores = {name: open_region_store(path) for name, path in parts.items()}
    widths = {name: store.feature_width for name, store in stores.items()}
    if len(set(widths.values())) > 1:
        raise InputError(f"{joined}: expected features of one width in all parts, got {widths}")
    return stores


def _check_names(parts: Mapping[str, object]) -> None:
    if not parts:
        raise InputError("nothing to join: expected one data set or more, each with a name")
    for name in parts:
        if not name or ":" in name:
            raise InputError(f"name {name!r}: expected a name without a colon, for ids become NAME:ID")
