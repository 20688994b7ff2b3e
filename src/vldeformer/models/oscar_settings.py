"""Settings of the Oscar / VinVL backbone."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from vldeformer.models.settings import Reads, RegionBackboneSettings, TextModel
from vldeformer.section import unused


class OscarSettings(RegionBackboneSettings):
    """BERT that reads captions, detector tags and regions (Oscar, VinVL)."""

    reads: ClassVar[Reads] = "tagged regions"

    kind: Literal["oscar"]
    tag_tokens: int = Field(ge=3, description="longest row of detector tags in word pieces, [CLS] and [SEP] included")
    joint_tokens: int | None = Field(
        ge=4,
        description="longest caption and tags together when both are read jointly: tags fill what the caption leaves, as in the "
        "released code; null: each is cut at its own length",
    )
    region_norm: bool = Field(default=True, description="layer norm of the projected regions; the first Oscar has none")
    region_norm_eps: float = Field(default=1e-12, gt=0, description="added to the variance in that norm; the default is VinVL's")
    feature_dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="dropout of the numbers of regions before they are projected, the same ones of all regions of an image; "
        "few photographs need much of it",
        exclude_if=unused,
    )
    regions_as_words: bool = Field(
        default=False,
        description="without pre-trained weights the projection of regions starts as least squares from images to the words of "
        "their captions, not at random",
        exclude_if=unused,
    )
    text_model: TextModel
    freeze_words: bool = Field(
        default=False,
        description="the word vectors of `text_model` stay as they are: quicker, and few captions cannot spoil them",
        exclude_if=unused,
    )

    @model_validator(mode="after")
    def _frozen_words_were_read(self) -> Self:
        if self.freeze_words and self.text_model is None:
            raise ValueError("a text_model with freeze_words: words of random vectors must be learned")
        return self

    @property
    def text_start(self) -> str | None:
        """See ``BackboneSettings``."""
        return self.text_model

    @property
    def tag_length(self) -> int:
        """See ``RegionBackboneSettings``."""
        return self.tag_tokens

    def tokens_together(self, joint_layers: int | None) -> int | None:
        """See ``BackboneSettings``."""
        return None if self.layers_apart(joint_layers) else self.joint_tokens
