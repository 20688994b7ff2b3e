"""The captions of VinVL downloads as one manifest: the splits of a data set in one, several data sets joined."""

from pathlib import Path

from vldeformer.data.manifest import Manifest
from vldeformer.datasets.joined import manifest_of_parts
from vldeformer.datasets.sources import VinvlPart, VinvlSource
from vldeformer.datasets.vinvl import open_vinvl
from vldeformer.datasets.vinvl_captions import read_captions
from vldeformer.errors import InputError


def vinvl_manifest(dataset: VinvlSource, raw_dir: Path) -> Manifest:
    """All images of all parts, split by split; ids become ``PART:ID`` if there are several parts.

    Raises InputError as ``read_captions`` and ``open_vinvl`` do, if an image has no features, is in two splits, or a split has
    another number of images than ``expected_splits`` says.
    """
    parts = {name: _part_manifest(name, part, raw_dir) for name, part in dataset.parts.items()}
    return manifest_of_parts(dataset, parts, raw_dir, "the keys of its captions list")


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
