"""Photographs → a region store and the extractor that made it, in a folder that a killed run is continued in."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch

from vldeformer.artifact import read_json, write_json
from vldeformer.data.photographs import PhotographStore, UnavailableError
from vldeformer.data.pixels import PixelStore
from vldeformer.data.records import Regions, check_regions
from vldeformer.data.regions import RegionWriter
from vldeformer.errors import InputError
from vldeformer.extractors.network import VisionNetwork
from vldeformer.extractors.photographs import PhotographExtractor
from vldeformer.extractors.settings import PhotographRegions

STORE, PROGRESS = "store", ".progress.json"
FIT_IMAGES = 1000
"""Most images that mean and deviation are taken from, at even steps through the split."""
CHECKPOINT_IMAGES = 256
"""Images after which what was written is kept, should the run be killed."""

Pictures = PhotographStore | PixelStore


def write_photograph_regions(
    part: Path,
    settings: PhotographRegions,
    network: Callable[[], VisionNetwork],
    pictures: Pictures,
    fitted_on: Sequence[str],
    key: Mapping[str, Any],
    workers: int,
    progress: Callable[[int], object],
) -> dict[str, str]:
    """Write ``store/`` and the extractor into the folder ``part``, or continue what a killed run with the same key left there.

    A photograph that cannot be read has no region and no tag: ids stay those of the manifest.

    Args:
        part: folder of an unfinished run.
        settings: of the section ``regions``.
        network: opens the published network; not called by a run that is continued.
        pictures: photographs at their own size, or squares.
        fitted_on: ids of the training split.
        key: what a run must have in common with the one that it continues.
        workers: threads. Each image is read alone by one thread, so their number changes no result.
        progress: called with a number of images that are done.

    Returns:
        Id → problem of each photograph that was left out.

    Raises:
        InputError: the extractor cannot be fitted, or the system does not hand over a photograph.

    """
    done = _done(part, key)
    if done is None:
        shutil.rmtree(part, ignore_errors=True)
        (part / STORE).mkdir(parents=True)
        extractor = _fitted(settings, network(), pictures, fitted_on)
        extractor.save(part)
        done = {"images": 0, "words": [], "regions": 0, "tags": 0, "left_out": {}, "files": {}}
        write_json(part / PROGRESS, {"key": key, **done})
    extractor = PhotographExtractor.load(part / PhotographExtractor.file_name)
    first, left_out = done["images"], dict(done["left_out"])
    progress(first)
    store = part / STORE
    width = extractor.feature_width
    nothing = Regions(np.empty((0, width), np.float32), np.empty((0, 4), np.float32), ())
    ids = pictures.ids
    with RegionWriter(store, width, settings.dtype, ids[:first], done["words"], done["regions"], done["tags"]) as writer:
        for image_id, found in _read_all(extractor, pictures, ids[first:], workers):
            if isinstance(found, str):
                left_out[image_id] = found
            writer.append(image_id, nothing if isinstance(found, str) else found)
            progress(1)
            if len(writer.ids) % CHECKPOINT_IMAGES == 0:
                files = writer.flush()
                counts = {"images": len(writer.ids), "regions": writer.boxes.rows, "tags": writer.tags.rows}
                saved = {"words": list(writer.numbers), "left_out": left_out, "files": files}
                write_json(part / PROGRESS, {"key": key, **counts, **saved})
    return left_out


def _fitted(
    settings: PhotographRegions, network: VisionNetwork, pictures: Pictures, fitted_on: Sequence[str]
) -> PhotographExtractor:
    step = -(-len(fitted_on) // FIT_IMAGES)
    opened = (_open(pictures, image_id) for image_id in fitted_on[:: max(1, step)])
    with _one_thread():
        return PhotographExtractor.fit(settings, network, (image for image in opened if not isinstance(image, str)))


def _read_all(
    extractor: PhotographExtractor, pictures: Pictures, ids: Sequence[str], workers: int
) -> Iterator[tuple[str, Regions | str]]:
    """Id, and Regions or the problem with the photograph, in the order of ``ids``."""

    def read(image_id: str) -> Regions | str:
        image = _open(pictures, image_id)
        if isinstance(image, str):
            return image
        found = extractor.regions(image)
        check_regions(f"image {image_id!r}", found, extractor.feature_width)
        return found

    with _one_thread(), ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(ids), CHECKPOINT_IMAGES):
            chunk = ids[start : start + CHECKPOINT_IMAGES]
            yield from zip(chunk, pool.map(read, chunk), strict=True)


def _open(pictures: Pictures, image_id: str) -> PIL.Image.Image | str:
    """An upright RGB image, or why it cannot be read. Raises UnavailableError if another time it may be read."""
    try:
        return PIL.Image.fromarray(np.asarray(pictures[image_id]))
    except UnavailableError:
        raise
    except InputError as error:
        return str(error)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Each image by one thread: float sums, and so the stored features, must not depend on the cores that a scheduler grants."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _done(part: Path, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a killed run has saved, if it was the same one and its files are as long as they were then."""
    if not (part / PROGRESS).is_file():
        return None
    done: dict[str, Any] = read_json(part / PROGRESS)
    sizes = {path.name: path.stat().st_size for path in (part / STORE).iterdir()}
    same = done.get("key") == key and all(sizes.get(name, 0) >= size for name, size in done["files"].items())
    return done if same else None
