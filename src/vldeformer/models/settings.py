"""Settings of the backbone; apart from the code that needs torch, so that planning a run imports none."""

from typing import Literal

from pydantic import Field

from vldeformer.section import Section


class BackboneSettings(Section):
    """The size and kind of the transformer."""

    kind: Literal["oscar", "vilt"] = Field(description="oscar reads detector regions and tags, vilt reads patches of pixels")
    layers: int = Field(ge=1, description="transformer layers")
    hidden: int = Field(ge=8, description="width H; also the width D of the decomposed model's vectors")
    heads: int = Field(ge=1, description="attention heads; must divide `hidden`")
    intermediate: int = Field(ge=8, description="width of the feed-forward layers")
    dropout: float = Field(ge=0, lt=1, description="dropout of states and attention")
    caption_tokens: int = Field(ge=4, description="longest caption in word pieces, [CLS] and [SEP] included; longer ones are cut")
    tag_tokens: int = Field(ge=3, description="longest row of detector tags in word pieces, [CLS] and [SEP] included (oscar)")
    regions: int = Field(ge=1, description="most regions of an image that are read (oscar)")
    patch_size: int = Field(ge=1, description="side of a patch in pixels; must divide `crop_size` (vilt)")
    crop_size: int = Field(ge=8, description="side of the square that is read from an image, pixels (vilt)")
    text_model: str | None = Field(
        description="hub id, local folder or `package:NAME/FOLDER` of a BERT whose words and text layers to start from; "
        "null: from scratch"
    )
