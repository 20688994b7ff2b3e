"""Which raw files a dataset has; the settings that pick the reader."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from vldeformer.scenes.world import SceneSettings
from vldeformer.section import Section

PartName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", description="name of the dataset, used in paths")]


class ScenesSource(Section):
    """The built-in world, made here."""

    source: Literal["scenes"]
    name: Name
    raw_dir: str = Field(description="folder of scenes.jsonl, made if missing")
    world: SceneSettings

    @property
    def raw_file(self) -> str:
        """Below ``raw_dir``: the file that says which images and captions there are."""
        return "scenes.jsonl"

    @property
    def raw_files(self) -> list[str]:
        """That file, as a list: other sources have several."""
        return [self.raw_file]


class _Photographs(Section):
    """What every dataset of photographs has."""

    source: str
    name: Name
    raw_dir: str = Field(description="folder of the captions and the photographs")
    images: str = Field(description="folder of photographs below raw_dir")
    photographs: Literal["squares", "as_they_are"] = Field(
        default="squares",
        description="squares: scaled and cut to one size, in one array; as_they_are: read where they lie, at their own size",
    )
    image_size: int | None = Field(
        default=None, ge=16, le=1024, validate_default=True, description="side of the squares, pixels; null if as_they_are"
    )

    @field_validator("image_size")
    @classmethod
    def _goes_with_squares(cls, value: int | None, info: ValidationInfo) -> int | None:
        photographs = info.data.get("photographs")
        if photographs == "squares" and value is None:
            raise ValueError("a number of pixels, because dataset.photographs is squares")
        if photographs == "as_they_are" and value is not None:
            raise ValueError("none, because dataset.photographs is as_they_are")
        return value


class KarpathySource(_Photographs):
    """A Karpathy JSON file and its photographs."""

    source: Literal["karpathy"]
    annotations: str = Field(description="Karpathy JSON file below raw_dir")
    captions_per_image: int = Field(ge=1, description="first captions of an image that are used; fewer is an error")
    expected_splits: dict[str, int] | None = Field(
        default=None, description="images that train (restval too), val and test must have; null: not checked"
    )

    @property
    def raw_files(self) -> list[str]:
        """Below ``raw_dir``: the files that say which images and captions there are."""
        return [self.annotations]


class SplitFractions(Section):
    """Shares of the photographs; the rest is ``train``. A photograph's split depends on its id and the seed alone."""

    val: float = Field(gt=0, lt=1, description="share of photographs for validation")
    test: float = Field(gt=0, lt=1, description="share of photographs for the test")
    seed: int = Field(ge=0, description="another seed, another choice")

    @field_validator("test")
    @classmethod
    def _leaves_training_images(cls, value: float, info: ValidationInfo) -> float:
        if value + info.data.get("val", 0) >= 1:
            raise ValueError("less than 1 together with val")
        return value


class FolderSource(_Photographs):
    """Your own photographs, with a CSV or JSONL file of captions."""

    source: Literal["folder"]
    captions: str = Field(description="CSV or JSONL file below raw_dir: image, caption and, if you like, split")
    captions_per_image: int | None = Field(default=None, ge=1, description="most captions of an image that are used; null: all")
    split: SplitFractions | None = Field(
        default=None, description="shares `val` and `test`, and a `seed`; null: the file has a column `split`"
    )

    @property
    def raw_files(self) -> list[str]:
        """Below ``raw_dir``: the files that say which images and captions there are."""
        return [self.captions]


class KarpathyPart(Section):
    """One of several Karpathy files and its photographs; paths are below ``raw_dir``."""

    annotations: str = Field(description="Karpathy JSON file")
    images: str = Field(description="folder of its photographs")


class JoinedSource(Section):
    """Several Karpathy files as one data set under ids ``PART:ID``; photographs are read where they lie."""

    source: Literal["joined"]
    name: Name
    raw_dir: str = Field(description="folder of the captions and the photographs")
    parts: dict[PartName, KarpathyPart] = Field(min_length=2, description="data sets by name, e.g. coco, flickr30k")
    captions_per_image: int = Field(ge=1, description="first captions of an image that are used; fewer is an error")
    expected_splits: dict[str, int] | None = Field(
        default=None, description="images that train, val and test must have, all parts together; null: not checked"
    )

    @property
    def raw_files(self) -> list[str]:
        """Below ``raw_dir``: the files that say which images and captions there are."""
        return [part.annotations for part in self.parts.values()]


class VinvlPart(Section):
    """One data set of a VinVL download, or one chunk of it; paths are below ``raw_dir``."""

    features: str = Field(description="folder of features.tsv, predictions.tsv and imageid2idx.json")
    captions: dict[str, str] = Field(min_length=1, description="split → *_captions.pt")
    keys: dict[str, str] = Field(description="split → *_img_keys*.tsv: its images, in order")
    keys_1k: str | None = Field(default=None, description="test_img_keys_1k.tsv for the protocol coco-1k-fixed")

    @field_validator("keys")
    @classmethod
    def _of_the_same_splits(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        splits = info.data.get("captions", {}).keys()
        if value.keys() != splits:
            raise ValueError(f"the splits of captions, {', '.join(splits)}")
        return value


class VinvlSource(Section):
    """Region features, tags and captions of VinVL downloads; several are joined under ids ``PART:ID``."""

    source: Literal["vinvl"]
    name: Name
    raw_dir: str = Field(description="folder of the downloads")
    parts: dict[PartName, VinvlPart] = Field(min_length=1, description="data sets by name, e.g. coco, flickr30k")
    expected_splits: dict[str, int] | None = Field(
        default=None, description="images that each split must have, all parts together; null: not checked"
    )

    @property
    def raw_files(self) -> list[str]:
        """Below ``raw_dir``: the files that say which images and captions there are, and which images have features."""
        return [
            file
            for part in self.parts.values()
            for file in (*part.captions.values(), *part.keys.values(), f"{part.features}/imageid2idx.json")
        ]


AnyDataset = ScenesSource | KarpathySource | JoinedSource | FolderSource | VinvlSource
DatasetSettings = Annotated[AnyDataset, Field(discriminator="source")]
