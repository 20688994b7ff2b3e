"""The built-in world as a data set: scenes are made from a seed, pictures are drawn from them."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from vldeformer.data.manifest import Manifest
from vldeformer.datasets.source import Source, Warn, ignore
from vldeformer.errors import InputError
from vldeformer.scenes.world_settings import SceneSettings


class ScenesSource(Source):
    """The built-in world, made here."""

    gives_regions: ClassVar[bool] = True
    made_here: ClassVar[bool] = True

    source: Literal["scenes"]
    raw_dir: str = Field(description="folder of scenes.jsonl, made if missing")
    world: SceneSettings

    @property
    def raw_files(self) -> list[str]:
        """The file of all scenes and their captions."""
        return ["scenes.jsonl"]

    @property
    def square_side(self) -> int | None:
        """Side of the drawn pictures in pixels."""
        return self.world.image_size

    # Planning a run imports this class: the modules that make and draw scenes are imported where they are used.

    def make(self, path: Path) -> None:
        """Make the scenes and write them, one a line."""
        from vldeformer.scenes.world import write_scenes

        write_scenes(path, self.world)

    def read(self, raw_dir: Path, warn: Warn = ignore) -> Manifest:
        """Read the images and captions of the scenes. Raises InputError if the file has other splits than the settings."""
        from vldeformer.scenes.records import read_scenes
        from vldeformer.scenes.world import scene_manifest

        path = raw_dir / self.raw_files[0]
        manifest = scene_manifest(read_scenes(path), self.name)
        if manifest.splits != self.world.counts:
            expected = f"expected {self.world.counts} scenes, found {manifest.splits}"
            raise InputError(f"{path}: {expected}; delete it and fetch again")
        return manifest

    def write_pixels(self, folder: Path, raw_dir: Path, manifest: Manifest, on_image: Callable[[], object]) -> None:
        """Draw every scene; see ``Source.write_pixels``."""
        from vldeformer.data.pixels import write_pixels
        from vldeformer.scenes.drawing import draw_all
        from vldeformer.scenes.records import read_scenes

        side, ids = self.world.image_size, [image.id for image in manifest.images]
        scenes = read_scenes(raw_dir / self.raw_files[0])
        write_pixels(folder, ids, draw_all(scenes, side), (side, side), on_image)
