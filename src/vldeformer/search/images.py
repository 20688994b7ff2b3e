"""What can be indexed: a folder of photographs or a store of this project, listed without opening an image.

Both say which images there are and hand one over by its id; the index knows nothing else of where images come from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import PIL.Image

from vldeformer.data.parts import is_region_store, open_region_store
from vldeformer.data.photograph_files import files_below
from vldeformer.data.photographs import FILE_NAME, PhotographStore, open_photograph
from vldeformer.data.pixels import PixelStore
from vldeformer.errors import InputError
from vldeformer.inputs.in_memory import InMemoryImage

SourceKind = Literal["folder", "regions", "pixels", "photographs"]


@dataclass(frozen=True, slots=True)
class Listed:
    """An image that was found. size (bytes) and mtime_ns (ns) tell whether a file has changed; 0 in a store.

    problem: why it cannot be read, as far as the listing shows; None: nothing is known against it.
    """

    id: str
    size: int = 0
    mtime_ns: int = 0
    problem: str | None = None


class ImageSource(Protocol):
    """Images by id. ``root`` is the folder they are in; ``kind`` says what that folder is."""

    kind: SourceKind
    root: Path

    def listed(self) -> list[Listed]:
        """All images, in the order of their ids or of the store."""
        ...

    def path(self, image_id: str) -> Path | None:
        """The image's file, None if it has none of its own."""
        ...

    def __getitem__(self, image_id: str) -> InMemoryImage:
        """Raises InputError if the image cannot be read."""
        ...


def open_images(root: Path, outside: Path | None = None) -> ImageSource:
    """The store or folder at ``root``; what lies in the folder ``outside`` is not listed.

    Raises InputError if there is no such folder.
    """
    if not root.is_dir():
        raise InputError(f"{root}: expected a folder of photographs or a store, found none; check --images")
    if is_region_store(root):
        regions = open_region_store(root)
        return StoredImages(root, "regions", list(regions.ids), regions)
    if (root / "pixels.npy").is_file():
        squares = PixelStore(root)
        return StoredImages(root, "pixels", squares.ids, squares)
    if (root / FILE_NAME).is_file():
        return StoredPhotographs(root)
    return PhotographFolder(root, outside)


class PhotographFolder:
    """Every file below a folder, hidden ones left out; an image's id is its path below the folder, with ``/``."""

    kind: SourceKind = "folder"

    def __init__(self, root: Path, outside: Path | None = None) -> None:
        self.root, self.outside = root, outside

    def listed(self) -> list[Listed]:
        """Files in the order of their ids. Raises InputError if the folder itself cannot be listed."""
        return sorted(self._files(), key=lambda one: one.id)

    def _files(self) -> Iterator[Listed]:
        for found in files_below(self.root, self.outside):
            if found.stat is None:
                yield Listed(found.name, problem=found.problem)
            else:
                yield Listed(found.name, found.stat.st_size, found.stat.st_mtime_ns)

    def path(self, image_id: str) -> Path:
        """Where the photograph lies."""
        return self.root / image_id

    def __getitem__(self, image_id: str) -> PIL.Image.Image:
        return open_photograph(self.path(image_id))


class StoredPhotographs:
    """The photographs of a store that `prepare` made."""

    kind: SourceKind = "photographs"

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, PhotographStore(root)

    def listed(self) -> list[Listed]:
        """Images in the order of the store."""
        return [Listed(image_id) for image_id in self.store.ids]

    def path(self, image_id: str) -> Path:
        """Where the photograph lies."""
        return self.store.path(image_id)

    def __getitem__(self, image_id: str) -> PIL.Image.Image:
        return open_photograph(self.path(image_id))


class Stored(Protocol):
    """A store: image id → regions or pixels."""

    def __getitem__(self, image_id: str) -> InMemoryImage: ...


class StoredImages:
    """A region store or a pixel store."""

    def __init__(self, root: Path, kind: SourceKind, ids: list[str], store: Stored) -> None:
        self.root, self.kind, self.ids, self.store = root, kind, ids, store

    def listed(self) -> list[Listed]:
        """Images in the order of the store."""
        return [Listed(image_id) for image_id in self.ids]

    def path(self, image_id: str) -> None:
        """None: what a store holds is no file of its own."""

    def __getitem__(self, image_id: str) -> InMemoryImage:
        return self.store[image_id]
