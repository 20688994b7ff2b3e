"""Settings of re-ranking."""

from typing import Annotated

from pydantic import Field

from vldeformer.section import Section


class RerankSettings(Section):
    """How the joint model orders again what the decomposed model proposes.

    To choose `dual_weight`: `vldeformer embed --split val`, then `vldeformer rerank --split val --all` with a settings file for
    each weight, and keep the one with the best `mean_recall` in rerank.json.
    """

    depth: int = Field(ge=1, description="candidates a query of the result that stands in the main table, in both directions")
    depths: list[Annotated[int, Field(ge=1)]] = Field(
        description="further numbers of candidates: the curve of recall against time on the scored subset"
    )
    dual_weight: float = Field(
        ge=0, description="candidates are ordered by joint log-odds + this × cosine; 0: by the joint model alone; chosen on val"
    )
