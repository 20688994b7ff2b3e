"""Settings of what is fed to the models: the vocabulary and the composed hard negatives."""

from pydantic import Field

from vldeformer.section import Section


class VocabularySettings(Section):
    """The word pieces learned from the captions (unused when `backbone.text_model` brings its own)."""

    size: int = Field(ge=100, description="most word pieces")


class NegativeSettings(Section):
    """How hard negatives are composed (paper: 0.3 of the nouns; half of the regions)."""

    seed: int = Field(ge=0, description="seed of all choices")
    variants: int = Field(ge=1, description="different negatives composed for each caption and each image")
    word_ratio: float = Field(
        gt=0, le=1, description="share of a caption's replaceable words that is replaced, at least one word"
    )
    attributes: bool = Field(description="replace attributes as well as nouns")
    image_ratio: float = Field(
        gt=0, lt=1, description="share of an image's own regions or patches that another image's take the place of"
    )
