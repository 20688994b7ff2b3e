"""VinVL downloads as a data set: region features, tags and captions, no photographs; several are joined."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from vldeformer.data.manifest import Manifest
from vldeformer.datasets.source import PartName, Source, Warn, ignore, manifest_of_parts
from vldeformer.datasets.vinvl_captions import read_captions
from vldeformer.datasets.vinvl_rows import open_vinvl
from vldeformer.errors import InputError
from vldeformer.section import Section


class VinvlPart(Section):
    """One data set of a VinVL download, or one chunk of it; paths are below ``raw_dir``."""

    features: str = Field(description="folder of features.tsv, predictions.tsv and imageid2idx.json")
    captions: dict[str, str] = Field(min_length=1, description="split → *_captions.pt")
    keys: dict[str, str] = Field(description="split → *_img_keys*.tsv: its images, in order")
    keys_1k: str | None = Field(default=None, description="test_img_keys_1k.tsv for the protocol coco-1k-fixed")

    @field_validator("keys")
    @classmethod
    def _of_the_same_splits(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        splits = info.data.get("captions", {}).keys()
        if value.keys() != splits:
            raise ValueError(f"the splits of captions, {', '.join(splits)}")
        return value


class VinvlSource(Source):
    """Region features, tags and captions of VinVL downloads; several are joined under ids ``PART:ID``."""

    gives_pixels: ClassVar[bool] = False
    gives_regions: ClassVar[bool] = True

    source: Literal["vinvl"]
    raw_dir: str = Field(description="folder of the downloads")
    parts: dict[PartName, VinvlPart] = Field(min_length=1, description="data sets by name, e.g. coco, flickr30k")
    expected_splits: dict[str, int] | None = Field(
        default=None, description="images that each split must have, all parts together; null: not checked"
    )

    @property
    def raw_files(self) -> list[str]:
        """The captions, the keys of their images, and the lists of images that have features."""
        return [
            file
            for part in self.parts.values()
            for file in (*part.captions.values(), *part.keys.values(), f"{part.features}/imageid2idx.json")
        ]

    @property
    def named_parts(self) -> Mapping[str, Section]:
        """The downloads."""
        return self.parts

    def read(self, raw_dir: Path, warn: Warn = ignore) -> Manifest:
        """Read all images of all parts, split by split; see ``Source.read``.

        An image that has no features, or is in two splits, is an error too.
        """
        parts = {name: _part_manifest(name, part, raw_dir) for name, part in self.parts.items()}
        return manifest_of_parts(self.name, parts, self.expected_splits, raw_dir, "the keys of its captions list")

    def recorded_files(self, raw_dir: Path) -> dict[str, Path]:
        """Captions and keys of each part and split, and the ids of each part's features."""
        files: dict[str, Path] = {}
        for name, part in self.parts.items():
            files |= {f"{name} {split}": raw_dir / file for split, file in part.captions.items()}
            files |= {f"{name} {split} keys": raw_dir / file for split, file in part.keys.items()}
            files[f"{name} ids"] = open_vinvl(raw_dir / part.features).id_rows
        return files


def _part_manifest(name: str, part: VinvlPart, raw_dir: Path) -> Manifest:
    splits = [read_captions(raw_dir / part.captions[split], raw_dir / part.keys[split], name, split) for split in part.captions]
    download = open_vinvl(raw_dir / part.features)
    described = set(download.ids)
    images = tuple(image for split in splits for image in split.images)
    missing = next((image for image in images if image.id not in described), None)
    if missing is not None:
        where = f"{raw_dir / part.keys[missing.split]}: image {missing.id!r}"
        raise InputError(f"{where} is not in {download.id_rows}; captions and features must be of one data set")
    return Manifest(name, images, tuple(caption for split in splits for caption in split.captions))
