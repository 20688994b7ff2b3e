"""Which raw files a dataset has; the settings that pick the reader."""

from typing import Annotated, Literal

from pydantic import Field

from vldeformer.data.scenes import SceneSettings
from vldeformer.section import Section


class ScenesSource(Section):
    """The built-in world, made here."""

    source: Literal["scenes"]
    name: str = Field(pattern=r"^[a-z0-9_-]+$", description="name of the dataset, used in paths")
    raw_dir: str = Field(description="folder of scenes.jsonl, made if missing")
    world: SceneSettings


class KarpathySource(Section):
    """A Karpathy JSON file and its photographs."""

    source: Literal["karpathy"]
    name: str = Field(pattern=r"^[a-z0-9_-]+$", description="name of the dataset, used in paths")
    raw_dir: str = Field(description="folder of the annotation file and the photographs")
    annotations: str = Field(description="Karpathy JSON file below raw_dir")
    images: str = Field(description="folder of photographs below raw_dir")
    image_size: int = Field(ge=16, le=1024, description="photographs are stored as squares of this side, pixels")
    captions_per_image: int = Field(ge=1, description="first captions of an image that are used; fewer is an error")


DatasetSettings = Annotated[ScenesSource | KarpathySource, Field(discriminator="source")]
