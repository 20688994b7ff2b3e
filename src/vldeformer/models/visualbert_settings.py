"""Settings of the VisualBERT backbone."""

from typing import ClassVar, Literal

from vldeformer.models.settings import Reads, RegionBackboneSettings


class VisualBertSettings(RegionBackboneSettings):
    """BERT that reads captions and bare region features, without tags and boxes (VisualBERT)."""

    reads: ClassVar[Reads] = "regions"

    kind: Literal["visualbert"]
