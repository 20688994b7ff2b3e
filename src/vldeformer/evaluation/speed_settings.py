"""Settings of the speed measurement."""

import math

from pydantic import Field

from vldeformer.section import Section


class SpeedSettings(Section):
    """How joint and decomposed retrieval are timed on this machine."""

    pairs: int = Field(ge=1, description="image-caption pairs of the sample that the joint model scores")
    images: int = Field(ge=1, description="test images that the decomposed model encodes")
    captions: int = Field(ge=1, description="captions that the decomposed model encodes")
    repeats: int = Field(ge=1, description="timed repeats; the median counts")
    gallery_sizes: list[int] = Field(description="gallery sizes of the curve, images")

    def scored_images(self, n_images: int) -> int:
        """How many of ``n_images`` images make, with their captions (five each), about ``pairs`` pairs; at least two."""
        return max(2, min(n_images, round(math.sqrt(self.pairs / 5))))
