"""Settings of the ViLT backbone."""

from typing import Literal

from vldeformer.models.settings import PixelBackboneSettings, TextModel


class ViltSettings(PixelBackboneSettings):
    """A transformer that reads captions and patches of pixels (ViLT)."""

    kind: Literal["vilt"]
    text_model: TextModel

    @property
    def text_start(self) -> str | None:
        """See ``BackboneSettings``."""
        return self.text_model
