"""The built-in data set ``scenes``: small pictures of coloured shapes with five captions each, made from a seed.

Only descriptions and captions are kept as data (``scenes.jsonl``); pixels are drawn from them by ``drawing``. The target
set (train, val, test) is small and the ``pretrain`` corpus large, as in the paper's setting; no scene occurs twice.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from vldeformer.data.manifest import Manifest
from vldeformer.data.records import Caption, Image
from vldeformer.scenes.captions import captions_of
from vldeformer.scenes.drawing import random_background
from vldeformer.scenes.layout import Dice, layouts
from vldeformer.scenes.records import Scene, save_scenes
from vldeformer.scenes.world_settings import SceneSettings
from vldeformer.seeding import named_generator


def generate_scenes(settings: SceneSettings) -> Iterator[Scene]:
    """All scenes, split after split; no two of them have the same objects in the same cells."""
    taken: set[tuple[tuple[str, str, str, int], ...]] = set()
    for split, count in settings.counts.items():
        # Separate streams: another wording of the captions must not move the objects.
        places = layouts(Dice(named_generator(settings.seed, "scenes", split, "layout")), taken)
        grounds = Dice(named_generator(settings.seed, "scenes", split, "background"))
        words = Dice(named_generator(settings.seed, "scenes", split, "captions"))
        for number in range(count):
            objects = next(places)
            yield Scene(f"{split}-{number:06d}", split, random_background(grounds), objects, captions_of(words, objects))


def write_scenes(path: Path, settings: SceneSettings) -> None:
    """Make the scenes and write them, one a line; the file appears when all are there."""
    save_scenes(path, generate_scenes(settings))


def scene_manifest(scenes: Iterable[Scene], dataset: str = "scenes") -> Manifest:
    """Images and captions of the scenes; caption ids are ``<image id>#0`` and so on."""
    scenes = list(scenes)
    images = tuple(Image(scene.id, scene.split) for scene in scenes)
    captions = tuple(
        Caption(f"{scene.id}#{n}", scene.id, caption.text) for scene in scenes for n, caption in enumerate(scene.captions)
    )
    return Manifest(dataset, images, captions)
