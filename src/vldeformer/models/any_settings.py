"""The settings section ``backbone``: one class a kind of backbone, each refuses the keys of the others."""

from typing import Annotated

from pydantic import Field

from vldeformer.models.linear_settings import LinearSettings
from vldeformer.models.oscar_settings import OscarSettings
from vldeformer.models.vilt_settings import ViltSettings
from vldeformer.models.visualbert_settings import VisualBertSettings

AnyBackbone = OscarSettings | VisualBertSettings | ViltSettings | LinearSettings
AnyBackboneSettings = Annotated[AnyBackbone, Field(discriminator="kind")]
"""A row for each kind; ``weights.BACKBONES`` has the classes of the same kinds."""
