"""Settings of the speed measurement."""

from pydantic import Field

from vldeformer.section import Section


class SpeedSettings(Section):
    """How joint and decomposed retrieval are timed on this machine."""

    pairs: int = Field(ge=1, description="image-caption pairs of the sample that the joint model scores")
    images: int = Field(ge=1, description="test images that the decomposed model encodes")
    captions: int = Field(ge=1, description="captions that the decomposed model encodes")
    repeats: int = Field(ge=1, description="timed repeats; the median counts")
    warmup: int = Field(ge=0, description="repeats before the timed ones")
    gallery_sizes: list[int] = Field(description="gallery sizes of the curve, images")
