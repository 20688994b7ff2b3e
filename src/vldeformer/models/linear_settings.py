"""Settings of the linear backbone, the control without a transformer of its own."""

from typing import ClassVar, Literal

from pydantic import Field

from vldeformer.models.settings import BackboneSettings, Reads
from vldeformer.section import unused


class LinearSettings(BackboneSettings):
    """The mean region and the mean word, one linear layer each: what a visual-semantic embedding learns without a transformer."""

    reads: ClassVar[Reads] = "regions"

    kind: Literal["linear"]
    hidden: int = Field(ge=8, description="width D of the vectors")
    dropout: float = Field(ge=0, lt=1, description="dropout of what the linear layers read")
    feature_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="dropout of the numbers of the mean region, before the other", exclude_if=unused
    )
    regions: int = Field(ge=1, description="most regions of an image that are read")
    caption_tokens: int = Field(ge=4, description="longest caption in word pieces, [CLS] and [SEP] included; longer ones are cut")
    text_model: str | None = Field(
        default=None,
        description="hub id, local folder or `package:NAME/FOLDER` of a BERT of sentences, which reads captions and is not "
        "trained; null: a bag of words learned from nothing",
    )
    text_layers: int = Field(default=6, ge=1, description="transformer layers of `text_model`; the defaults are MiniLM-L6's")
    text_hidden: int = Field(default=384, ge=8, description="width of its states")
    text_heads: int = Field(default=12, ge=1, description="its attention heads")
    text_intermediate: int = Field(default=1536, ge=8, description="width of its feed-forward layers")

    @property
    def text_start(self) -> str | None:
        """See ``BackboneSettings``."""
        return self.text_model
