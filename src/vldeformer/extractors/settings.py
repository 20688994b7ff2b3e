"""Settings of the section ``regions``: one class for each kind of extractor. Planning a run imports this: no torch here."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field

from vldeformer.scenes.world_settings import RegionSettings
from vldeformer.section import Section


class PhotographRegions(Section):
    """Keys of every kind that reads photographs."""

    kind: str
    grid: int = Field(
        default=3, ge=1, le=32, description="an image has grid × grid regions, pooled from the cells of the network"
    )
    whole_image: bool = Field(
        default=False, description="the mean of the whole image, with the image as its box, is one more region, the first"
    )
    tags: int = Field(default=5, ge=0, le=100, description="most classes of an image that become its tags, the likeliest first")
    least_probability: float = Field(default=0.05, ge=0, lt=1, description="probability that a class needs to become a tag")
    dtype: Literal["float16", "float32"] = Field(description="floating type of the stored features")
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="precision of the network; bfloat16 is faster on processors that multiply in it"
    )

    @property
    def learned_from(self) -> str:
        """What the network was trained on, a sentence for a model card."""
        raise NotImplementedError

    def portable(self) -> Self:
        """What an extractor's file says of its settings."""
        return self


class EfficientNetLite0Regions(PhotographRegions):
    """Cells of EfficientNet-Lite0's last feature map; its ImageNet classes are the tags."""

    kind: Literal["efficientnet_lite0"]
    image_size: int = Field(
        default=224,
        ge=32,
        le=1024,
        multiple_of=32,
        description="side to which photographs are resized, pixels; a cell takes 32",
    )

    @property
    def learned_from(self) -> str:
        """Classes of photographs."""
        return "The regions are EfficientNet-Lite0's, trained on photographs and classes of ImageNet, on no caption."


class HubRegions(PhotographRegions):
    """Patches or cells of the last feature map of a vision model of the Hugging Face hub; classes of its head are the tags."""

    kind: Literal["hub"]
    model: str = Field(min_length=1, description="hub id or local folder, e.g. facebook/dinov2-small")

    @property
    def learned_from(self) -> str:
        """Not known: any model of the hub."""
        unknown = "what it was trained on, captions of a test among it or not, is not known here"
        return f"The regions are those of {self.model}; {unknown}."

    def portable(self) -> Self:
        """A local folder becomes its name: a model folder may be published, and paths of this machine may not."""
        return self.model_copy(update={"model": Path(self.model).name}) if Path(self.model).is_dir() else self


def _scenes_if_none(values: Any) -> Any:
    """Settings without ``kind`` were written when there was no other kind."""
    return {"kind": "scenes"} | values if isinstance(values, dict) else values


AnyRegions = RegionSettings | EfficientNetLite0Regions | HubRegions
AnyRegionSettings = Annotated[AnyRegions, Field(discriminator="kind"), BeforeValidator(_scenes_if_none)]
