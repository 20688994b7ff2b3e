"""Several data sets of photographs in Karpathy's layout as one manifest."""

import dataclasses
from pathlib import Path

from vldeformer.data.joined import join_manifests
from vldeformer.data.karpathy import read_karpathy
from vldeformer.data.manifest import Manifest
from vldeformer.data.sources import JoinedSource
from vldeformer.errors import InputError


def joined_manifest(dataset: JoinedSource, raw_dir: Path) -> Manifest:
    """All images of all parts under ids ``PART:ID``, files below ``raw_dir``.

    Raises InputError as ``read_karpathy`` does, or if a split has another number of images than ``expected_splits`` says.
    """
    parts = {}
    for name, part in dataset.parts.items():
        manifest = read_karpathy(raw_dir / part.annotations, name, dataset.captions_per_image)
        images = tuple(dataclasses.replace(image, file=f"{part.images}/{image.file}") for image in manifest.images)
        parts[name] = dataclasses.replace(manifest, images=images)
    whole = join_manifests(parts)
    if dataset.expected_splits not in (None, whole.splits):
        found = f"the parts' files have {whole.splits}"
        raise InputError(f"{raw_dir}: expected images {dataset.expected_splits}, {found}; see dataset.expected_splits")
    return dataclasses.replace(whole, dataset=dataset.name)
