"""The base of every settings section: frozen, typed, and an unknown key is an error."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the settings. It is defined beside the code it configures; ``config`` only assembles sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)
