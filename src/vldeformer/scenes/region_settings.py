"""Settings of the detector; apart from its code, so that planning a run imports no scikit-learn."""

from typing import Literal

from pydantic import Field

from vldeformer.section import Section


class RegionSettings(Section):
    """How regions are described."""

    pca_components: int = Field(description="numbers that describe a region's silhouette", ge=1, le=256)
    max_regions: int = Field(description="regions kept of an image, the largest first", ge=1)
    dtype: Literal["float16", "float32"] = Field(description="floating type of the stored features")
    seed: int = Field(description="seed of the choice of the images for fitting", ge=0)
