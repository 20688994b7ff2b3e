"""Settings of what is fed to the models: the vocabulary and the composed hard negatives."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vldeformer.section import Section

TextKind = Literal["noun", "attribute", "relation", "swap"]
PartnerKind = Literal["random", "category", "near"]


class VocabularySettings(Section):
    """The word pieces learned from the captions (unused when `backbone.text_model` brings its own)."""

    size: int = Field(ge=100, description="most word pieces; special ones and letters, 405 at most, are there in any case")


class NegativeSettings(Section):
    """How hard negatives are composed (paper: 0.3 of the nouns; half of the regions)."""

    seed: int = Field(ge=0, description="seed of all choices")
    images: int | None = Field(
        ge=2, description="compose from the first so many images of `train` alone, as `train.images`; null: all"
    )
    variants: int = Field(ge=1, description="different negatives composed for each caption and each image")
    text_kinds: dict[TextKind, Annotated[float, Field(ge=0)]] = Field(
        description="kind of text negative to its weight (left out: 0): words of that class replaced, or two of a caption swapped"
    )
    word_ratio: float = Field(gt=0, le=1, description="share of a caption's words of the kind that is replaced, at least one")
    replacements: Literal["corpus", "tags"] = Field(
        description="where nouns and attributes that come in are from: all of the captions, or those that are detector tags too"
    )
    image_partner: PartnerKind = Field(
        description="whose regions come in: any image, one that shows a thing of the same name, one of the nearest by features"
    )
    image_ratio: float = Field(
        gt=0, lt=1, description="share of an image's own regions or patches that another image's take the place of"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not any(self.text_kinds.values()):
            raise ValueError("a kind of text negative with a weight above 0 in text_kinds")
        return self
