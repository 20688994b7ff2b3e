"""Settings of the built-in world; apart from its code, so that planning a run imports no scikit-learn."""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from vldeformer.section import Section


class SceneSettings(Section):
    """How many scenes to make, and how large their pictures are."""

    pretrain_images: int = Field(description="images of the pre-training corpus; the detector is fitted on them too", ge=1)
    train_images: int = Field(description="images of the target set's training split", ge=1)
    val_images: int = Field(description="images of the validation split", ge=1)
    test_images: int = Field(description="images of the test split", ge=1)
    image_size: int = Field(description="side of the drawn images, pixels", ge=64, le=512)
    seed: int = Field(description="seed of the world; the same seed gives the same bytes on every machine", ge=0)

    @property
    def counts(self) -> dict[str, int]:
        """Images of each split, in the order in which they are made."""
        return {"pretrain": self.pretrain_images, "train": self.train_images, "val": self.val_images, "test": self.test_images}


class RegionSettings(Section):
    """Regions of the built-in world, found by a detector that is fitted on its pre-training scenes."""

    kind: Literal["scenes"] = "scenes"
    pca_components: int = Field(description="numbers that describe a region's silhouette", ge=1, le=256)
    max_regions: int = Field(description="regions kept of an image, the largest first", ge=1)
    dtype: Literal["float16", "float32"] = Field(description="floating type of the stored features")
    seed: int = Field(description="seed of the choice of the images for fitting", ge=0)

    @model_serializer(mode="wrap")
    def _without_kind(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave ``kind`` out: settings files and records were written before there were other kinds, and stay valid."""
        return {name: value for name, value in write(self).items() if name != "kind"}


class CompositionalSettings(Section):
    """The items made of the ``scenes`` world; other data sets bring theirs."""

    items: int = Field(ge=2, description="at most so many items a subset, one an image")
    seed: int = Field(ge=0, description="seed of the choice of captions and of new words")
