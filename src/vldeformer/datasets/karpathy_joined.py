"""Several data sets of photographs in Karpathy's layout as one manifest."""

import dataclasses
from pathlib import Path

from vldeformer.data.manifest import Manifest
from vldeformer.datasets.joined import manifest_of_parts
from vldeformer.datasets.karpathy import read_karpathy
from vldeformer.datasets.sources import JoinedSource


def joined_manifest(dataset: JoinedSource, raw_dir: Path) -> Manifest:
    """All images of all parts under ids ``PART:ID``, files below ``raw_dir``.

    Raises InputError as ``read_karpathy`` does, or if a split has another number of images than ``expected_splits`` says.
    """
    parts = {}
    for name, part in dataset.parts.items():
        manifest = read_karpathy(raw_dir / part.annotations, name, dataset.captions_per_image)
        images = tuple(dataclasses.replace(image, file=f"{part.images}/{image.file}") for image in manifest.images)
        parts[name] = dataclasses.replace(manifest, images=images)
    return manifest_of_parts(dataset, parts, raw_dir, "the parts' files have")
