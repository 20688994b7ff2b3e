"""Settings that all backbones share. Each backbone has a class with its own keys in a module that imports no torch.

The classes with all keys: ``oscar_settings``, ``visualbert_settings``, ``vilt_settings``; ``any_settings`` has their union.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from vldeformer.errors import InputError
from vldeformer.section import Section

Pooling = Literal["cls", "sep", "mean", "mean_all", "mean_max"]

Reads = Literal["tagged regions", "regions", "pixels"]


def _divides_hidden(heads: int, info: ValidationInfo) -> int:
    hidden = info.data.get("hidden", 0)  # absent if it is wrong itself; that problem is reported first
    if hidden % heads:
        raise ValueError(f"a divisor of hidden, {hidden}")
    return heads


class BackboneSettings(Section):
    """What all kinds of backbones have. Each kind has its class, which states these keys among its others."""

    reads: ClassVar[Reads]
    """What this kind of backbone reads of an image."""

    if TYPE_CHECKING:  # a key defined here would come first in the settings files of all kinds
        kind: str
        hidden: int
        dropout: float
        caption_tokens: int

    @property
    def text_start(self) -> str | None:
        """The pre-trained text transformer whose words it reads and whose weights it starts from; None: there is none."""
        return None

    @property
    def tag_length(self) -> int:
        """Longest row of detector tags in word pieces; 0: this backbone reads no tags."""
        return 0

    def layers_apart(self, joint_layers: int | None) -> int:
        """Number of lower layers that read caption and image apart.

        Args:
            joint_layers: top layers that read both together; None: all of them.

        Raises:
            InputError: the backbone has fewer layers than that.

        """
        raise InputError(f"kind joint needs a transformer, got backbone.kind {self.kind}; use kind dual")

    def tokens_together(self, joint_layers: int | None) -> int | None:
        """Positions that caption and tags share where both are read together from the first layer; None: each has its own."""
        return None


class TransformerSettings(BackboneSettings):
    """Size of a transformer. Not used directly: every kind of backbone has a class of its own."""

    kind: str
    layers: int = Field(ge=1, description="transformer layers")
    hidden: int = Field(
        ge=8, description="width H; also the width D of the decomposed model's vectors, or half of it with pooling mean_max"
    )
    heads: Annotated[int, AfterValidator(_divides_hidden)] = Field(ge=1, description="attention heads; must divide `hidden`")
    intermediate: int = Field(ge=8, description="width of the feed-forward layers")
    dropout: float = Field(ge=0, lt=1, description="dropout of states and attention")
    norm_eps: float = Field(
        default=1e-12, gt=0, description="added to the variance in layer norms; the default is BERT's and ViLT's"
    )
    positions: int | None = Field(
        ge=4, description="rows of the table of word positions; null: what the lengths need, at least 512 (vilt: 40)"
    )
    caption_tokens: int = Field(ge=4, description="longest caption in word pieces, [CLS] and [SEP] included; longer ones are cut")

    def layers_apart(self, joint_layers: int | None) -> int:
        """See ``BackboneSettings``."""
        if joint_layers is not None and joint_layers > self.layers:
            raise InputError(f"joint_layers is {joint_layers}, but the backbone has {self.layers} layers; give as many or fewer")
        return 0 if joint_layers is None else self.layers - joint_layers

    def transformer_sizes(self, vocabulary_size: int) -> dict[str, Any]:
        """Arguments of transformers' config classes, under the names that BERT, ViLT and VisualBERT share."""
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

        Raises:
            InputError: the settings give fewer than are needed.

        """
        if self.positions is not None and self.positions < needed:
            raise InputError(f"backbone.positions is {self.positions}, but the longest row of words has {needed}; shorten it")
        return self.positions or max(needed, usual)


class RegionBackboneSettings(TransformerSettings):
    """A backbone that reads detector regions."""

    regions: int = Field(ge=1, description="most regions of an image that are read")


class PixelBackboneSettings(TransformerSettings):
    """A backbone that reads patches of pixels."""

    reads: ClassVar[Reads] = "pixels"

    patch_size: int = Field(ge=1, description="side of a patch in pixels; must divide `crop_size`")
    crop_size: int = Field(
        ge=8, description="side of the square that is read from an image, or the shorter side with `keep_aspect`, pixels"
    )
    keep_aspect: bool = Field(
        default=False,
        description="read whole photographs at their own aspect ratio, longer side at most 1.66 times `crop_size`, as published "
        "ViLT models do; false: squares",
    )


TextModel = Annotated[
    str | None,
    Field(
        description="hub id, local folder or `package:NAME/FOLDER` of a BERT whose words and text layers to start from; "
        "null: from scratch"
    ),
]
