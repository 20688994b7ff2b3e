"""Settings of the backbone; apart from the code that needs torch, so that planning a run imports none."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from vldeformer.errors import InputError
from vldeformer.section import Section

Pooling = Literal["cls", "sep", "mean", "mean_all", "mean_max"]

Reads = Literal["tagged regions", "regions", "pixels"]

READS: dict[str, Reads] = {"oscar": "tagged regions", "visualbert": "regions", "vilt": "pixels"}
"""Kind of backbone → what it reads of an image; the classes of the same kinds are in ``weights.BACKBONES``."""


def _known(kind: str) -> str:
    if kind not in READS:
        raise ValueError(f"one of {', '.join(map(repr, READS))}")
    return kind


def _divides_hidden(heads: int, info: ValidationInfo) -> int:
    hidden = info.data.get("hidden", 0)  # absent if it is wrong itself, which is said first
    if hidden % heads:
        raise ValueError(f"a divisor of hidden, {hidden}")
    return heads


class BackboneSettings(Section):
    """The size and kind of the transformer."""

    kind: Annotated[str, AfterValidator(_known)] = Field(
        description="oscar reads detector regions and tags, visualbert reads regions, vilt reads patches of pixels"
    )
    layers: int = Field(ge=1, description="transformer layers")
    hidden: int = Field(
        ge=8, description="width H; also the width D of the decomposed model's vectors, or half of it with pooling mean_max"
    )
    heads: Annotated[int, AfterValidator(_divides_hidden)] = Field(ge=1, description="attention heads; must divide `hidden`")
    intermediate: int = Field(ge=8, description="width of the feed-forward layers")
    dropout: float = Field(ge=0, lt=1, description="dropout of states and attention")
    norm_eps: float = Field(gt=0, description="added to the variance in layer norms")
    positions: int | None = Field(
        ge=4, description="rows of the table of word positions; null: what the lengths need, at least 512 (vilt: 40)"
    )
    caption_tokens: int = Field(ge=4, description="longest caption in word pieces, [CLS] and [SEP] included; longer ones are cut")
    tag_tokens: int = Field(ge=3, description="longest row of detector tags in word pieces, [CLS] and [SEP] included (oscar)")
    joint_tokens: int | None = Field(
        ge=4,
        description="longest caption and tags together when both are read jointly: tags fill what the caption leaves, as in the "
        "released code; null: each is cut at its own length (oscar)",
    )
    regions: int = Field(ge=1, description="most regions of an image that are read (oscar, visualbert)")
    region_norm: bool = Field(description="layer norm of the projected regions (oscar)")
    region_norm_eps: float = Field(gt=0, description="added to the variance in that norm (oscar)")
    patch_size: int = Field(ge=1, description="side of a patch in pixels; must divide `crop_size` (vilt)")
    crop_size: int = Field(
        ge=8, description="side of the square that is read from an image, or the shorter side with `keep_aspect`, pixels (vilt)"
    )
    keep_aspect: bool = Field(
        description="read whole photographs at their own aspect ratio, longer side at most 1.66 times `crop_size`, as published "
        "ViLT models do; false: squares (vilt)"
    )
    text_model: str | None = Field(
        description="hub id, local folder or `package:NAME/FOLDER` of a BERT whose words and text layers to start from; "
        "null: from scratch"
    )

    @property
    def reads(self) -> Reads:
        """What this kind of backbone reads of an image."""
        return READS[self.kind]

    def layers_apart(self, joint_layers: int | None) -> int:
        """How many lower layers read caption and image apart if the top ``joint_layers`` read both; None: all read both, so 0.

        Raises InputError if there are fewer layers than that.
        """
        if joint_layers is not None and joint_layers > self.layers:
            raise InputError(f"joint_layers is {joint_layers}, but the backbone has {self.layers} layers; give as many or fewer")
        return 0 if joint_layers is None else self.layers - joint_layers

    def tokens_together(self, joint_layers: int | None) -> int | None:
        """Room that caption and tags share where both are read together from the first layer on; None: each has its own."""
        return None if self.layers_apart(joint_layers) else self.joint_tokens

    def transformer_sizes(self, vocabulary_size: int) -> dict[str, Any]:
        """What every kind tells transformers' config of its size, under the names that BERT, ViLT and VisualBERT share."""
        return {
            "vocab_size": vocabulary_size,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.intermediate,
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
            "layer_norm_eps": self.norm_eps,
        }

    def position_rows(self, needed: int, usual: int) -> int:
        """Rows of the table of word positions: ``positions``, or what is ``needed``, at least the ``usual`` number.

        Raises InputError if the settings give fewer than are needed.
        """
        if self.positions is not None and self.positions < needed:
            raise InputError(f"backbone.positions is {self.positions}, but the longest row of words has {needed}; shorten it")
        return self.positions or max(needed, usual)
