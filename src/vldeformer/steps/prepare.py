"""Step `prepare`: raw files → manifest and pixels, checked once."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.steps.arguments import OutFolder, RawFolder, SettingsFile

if TYPE_CHECKING:
    from vldeformer.data.manifest import Manifest
    from vldeformer.datasets.sources import FolderSource, JoinedSource, KarpathySource, ScenesSource, VinvlSource
    from vldeformer.scenes.records import Scene

VERSION = 1


def prepare(*, settings: SettingsFile, raw_dir: RawFolder, out: OutFolder) -> None:
    """Raw files → manifest and pixels.

    Writes ``manifest.json`` and ``pixels/``: a pixel store, or a photograph store (``dataset.photographs: as_they_are``). Of
    VinVL downloads, which have regions and no photographs, only the manifest.
    """
    from vldeformer.artifact import RECORD, whole_folder, write_json
    from vldeformer.data.pixels import write_pixels
    from vldeformer.datasets.sources import JoinedSource, ScenesSource, VinvlSource
    from vldeformer.provenance import provenance
    from vldeformer.scenes.drawing import draw_all
    from vldeformer.scenes.records import read_scenes
    from vldeformer.steps.progress import progress_bar
    from vldeformer.steps.settings_file import read_dataset

    started = time.monotonic()
    dataset = read_dataset(settings, VERSION)
    if isinstance(dataset, VinvlSource):
        _prepare_vinvl(dataset, raw_dir, out, started)
        return
    scenes = read_scenes(raw_dir / dataset.raw_file) if isinstance(dataset, ScenesSource) else []
    manifest = _manifest(dataset, raw_dir, scenes)
    if lacking := [split for split in ("train", "val", "test") if split not in manifest.splits]:
        print(f"no image is in {' or '.join(lacking)}: a training needs train and val, a judgement test", file=sys.stderr)
    bar = progress_bar(total=len(manifest.images), unit="image", desc="pixels")
    with whole_folder(out) as folder, bar:
        manifest.save(folder / "manifest.json")
        if isinstance(dataset, ScenesSource):
            side, ids = dataset.world.image_size, [image.id for image in manifest.images]
            write_pixels(folder / "pixels", ids, draw_all(scenes, side), (side, side), bar.update)
        elif isinstance(dataset, JoinedSource):
            _write_photographs(folder / "pixels", raw_dir, None, manifest, bar.update)
        else:
            _write_photographs(folder / "pixels", raw_dir / dataset.images, dataset.image_size, manifest, bar.update)
        described = {"dataset": dataset.model_dump(mode="json")}
        raw = {file: raw_dir / file for file in dataset.raw_files}
        write_json(folder / RECORD, provenance(described, raw, started))


def _prepare_vinvl(dataset: "VinvlSource", raw_dir: Path, out: Path, started: float) -> None:
    from vldeformer.artifact import RECORD, whole_folder, write_json
    from vldeformer.datasets.vinvl import open_vinvl
    from vldeformer.datasets.vinvl_manifest import vinvl_manifest
    from vldeformer.provenance import provenance

    manifest = vinvl_manifest(dataset, raw_dir)
    files: dict[str, Path] = {}
    for name, part in dataset.parts.items():
        files |= {f"{name} {split}": raw_dir / file for split, file in part.captions.items()}
        files |= {f"{name} {split} keys": raw_dir / file for split, file in part.keys.items()}
        files[f"{name} ids"] = open_vinvl(raw_dir / part.features).id_rows
    with whole_folder(out) as folder:
        manifest.save(folder / "manifest.json")
        write_json(folder / RECORD, provenance({"dataset": dataset.model_dump(mode="json")}, files, started))


def _manifest(
    dataset: "ScenesSource | KarpathySource | JoinedSource | FolderSource", raw_dir: Path, scenes: list["Scene"]
) -> "Manifest":
    from vldeformer.datasets.karpathy import read_karpathy
    from vldeformer.datasets.karpathy_joined import joined_manifest
    from vldeformer.datasets.own_photographs import read_own_photographs
    from vldeformer.datasets.sources import FolderSource, JoinedSource, KarpathySource
    from vldeformer.errors import InputError
    from vldeformer.scenes.world import scene_manifest

    if isinstance(dataset, JoinedSource):
        return joined_manifest(dataset, raw_dir)
    if isinstance(dataset, KarpathySource):
        return read_karpathy(raw_dir / dataset.annotations, dataset.name, dataset.captions_per_image, dataset.expected_splits)
    if isinstance(dataset, FolderSource):
        own = read_own_photographs(dataset, raw_dir)
        if own.without_caption:
            first = f"{raw_dir / dataset.images / own.without_caption[0]}"
            print(f"{len(own.without_caption):,} photographs have no caption and are left out, {first} first", file=sys.stderr)
        return own.manifest
    manifest = scene_manifest(scenes, dataset.name)
    if manifest.splits != dataset.world.counts:
        raw = raw_dir / dataset.raw_file
        raise InputError(f"{raw}: expected {dataset.world.counts} scenes, found {manifest.splits}; delete it and fetch again")
    return manifest


def _write_photographs(folder: Path, root: Path, side: int | None, manifest: "Manifest", on_image: Callable[[], object]) -> None:
    """Squares of ``side`` pixels; None: photographs as they are."""
    from vldeformer.data.photographs import read_squares, write_photographs
    from vldeformer.data.pixels import write_pixels

    files = {image.id: image.file or "" for image in manifest.images}
    if side is None:
        write_photographs(folder, root, files, on_image)
    else:
        write_pixels(folder, list(files), read_squares([root / file for file in files.values()], side), (side, side), on_image)
