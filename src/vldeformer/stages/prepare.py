"""Stage `prepare`: raw files → manifest and pixels, checked once."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vldeformer.artifact import provenance, whole_folder, write_json
from vldeformer.data.karpathy import read_karpathy, read_photograph
from vldeformer.data.manifest import Manifest
from vldeformer.data.pixels import write_pixels
from vldeformer.data.scene_drawing import draw_all
from vldeformer.data.scene_records import read_scenes
from vldeformer.data.scenes import scene_manifest
from vldeformer.data.sources import ScenesSource
from vldeformer.errors import InputError
from vldeformer.stages.sections import read_dataset


def prepare(settings: Path, raw_dir: Path, out: Path) -> None:
    """Write ``manifest.json`` and ``pixels/``."""
    started = time.monotonic()
    dataset = read_dataset(settings)
    if isinstance(dataset, ScenesSource):
        raw = raw_dir / "scenes.jsonl"
        manifest, size, images = _scenes(dataset, raw)
    else:
        raw = raw_dir / dataset.annotations
        manifest, size = read_karpathy(raw, dataset.name, dataset.captions_per_image), dataset.image_size
        images = _photographs(manifest, raw_dir / dataset.images, size)
    with whole_folder(out) as folder, tqdm(total=len(manifest.images), unit="image", desc="pixels", mininterval=2) as bar:
        manifest.save(folder / "manifest.json")
        write_pixels(folder / "pixels", [image.id for image in manifest.images], images, (size, size), bar.update)
        write_json(folder / "provenance.json", provenance({"dataset": dataset.model_dump(mode="json")}, {"raw": raw}, started))


def _scenes(dataset: ScenesSource, raw: Path) -> tuple[Manifest, int, Iterator[np.ndarray]]:
    scenes = read_scenes(raw)
    manifest = scene_manifest(scenes, dataset.name)
    expected = dataset.world.counts
    if manifest.splits != expected:
        raise InputError(f"{raw}: expected {expected} scenes, found {manifest.splits}; delete it and fetch again")
    return manifest, dataset.world.image_size, draw_all(scenes, dataset.world.image_size)


def _photographs(manifest: Manifest, folder: Path, size: int) -> Iterator[np.ndarray]:
    for image in manifest.images:
        assert image.file is not None
        yield read_photograph(folder / image.file, size)
