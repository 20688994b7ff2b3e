"""The table of the kinds of data sets: a kind is found by its ``source`` key, and is added by one line here."""

from typing import Annotated, get_args

from pydantic import Field

from vldeformer.datasets.built_in import ScenesSource
from vldeformer.datasets.folder import FolderSource
from vldeformer.datasets.joined import JoinedSource
from vldeformer.datasets.karpathy import KarpathySource
from vldeformer.datasets.source import Source
from vldeformer.datasets.vinvl import VinvlSource

AnyDataset = (
    ScenesSource
    | KarpathySource
    | JoinedSource
    | FolderSource
    | VinvlSource
)  # fmt: skip
SOURCES: dict[str, type[Source]] = {get_args(kind.model_fields["source"].annotation)[0]: kind for kind in get_args(AnyDataset)}
"""Key → class, in the order of the table."""

DatasetSettings = Annotated[AnyDataset, Field(discriminator="source")]
