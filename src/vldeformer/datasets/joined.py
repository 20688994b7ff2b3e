"""Several Karpathy files as one data set: ids become ``PART:ID``, photographs stay where they are."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from vldeformer.data.manifest import Manifest
from vldeformer.datasets.karpathy import read_karpathy
from vldeformer.datasets.source import PartName, Source, Warn, ignore, list_photographs, manifest_of_parts
from vldeformer.section import Section


class KarpathyPart(Section):
    """One of several Karpathy files and its photographs; paths are below ``raw_dir``."""

    annotations: str = Field(description="Karpathy JSON file")
    images: str = Field(description="folder of its photographs")


class JoinedSource(Source):
    """Several Karpathy files as one data set under ids ``PART:ID``; photographs are read where they lie."""

    source: Literal["joined"]
    parts: dict[PartName, KarpathyPart] = Field(min_length=2, description="data sets by name, e.g. coco, flickr30k")
    captions_per_image: int = Field(ge=1, description="first captions of an image that are used; fewer is an error")
    expected_splits: dict[str, int] | None = Field(
        default=None, description="images that train, val and test must have, all parts together; null: not checked"
    )

    @property
    def raw_files(self) -> list[str]:
        """The Karpathy files."""
        return [part.annotations for part in self.parts.values()]

    @property
    def named_parts(self) -> Mapping[str, Section]:
        """The parts."""
        return self.parts

    def read(self, raw_dir: Path, warn: Warn = ignore) -> Manifest:
        """Read all parts; the files of the images are below ``raw_dir``. See ``Source.read``."""
        parts = {}
        for name, part in self.parts.items():
            manifest = read_karpathy(raw_dir / part.annotations, name, self.captions_per_image)
            images = tuple(dataclasses.replace(image, file=f"{part.images}/{image.file}") for image in manifest.images)
            parts[name] = dataclasses.replace(manifest, images=images)
        return manifest_of_parts(self.name, parts, self.expected_splits, raw_dir, "the parts' files have")

    def write_pixels(self, folder: Path, raw_dir: Path, manifest: Manifest, on_image: Callable[[], object]) -> None:
        """Write a list of the photographs of all parts; see ``Source.write_pixels``."""
        list_photographs(folder, raw_dir, manifest, on_image)
