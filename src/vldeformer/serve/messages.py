"""What the server answers: the types of its JSON and of its page of documentation, and the refusal of a request."""

from pydantic import BaseModel, Field

from vldeformer.search.structure import MEANING


class FoundImage(BaseModel):
    """An image that was found."""

    rank: int = Field(description="1 is the best")
    id: str
    score: float = Field(description="cosine of the query's vector and the image's")
    joint: float | None = Field(description="log-odds of a match by the joint model; null if it did not read this image")
    image: str = Field(description="address of the photograph, at most 1600 pixels a side")
    thumb: str = Field(description="address of a small photograph, at most 320 pixels a side")


class Times(BaseModel):
    """Milliseconds. An answer that is given again, from memory, has the times of when it was found."""

    encode: float | None = Field(description="reading the query; null of an image of the index, which has its vector")
    search: float = Field(description="finding the nearest vectors")
    rerank: float | None = Field(description="the joint model on the best; null if it was not asked")
    total: float = Field(description="from the request's arrival on, waiting for others included")


class Answer(BaseModel):
    """Images for a query, best first."""

    query: str = Field(description="the text, the file's name, or the image's id")
    hits: list[FoundImage]
    note: str | None = Field(description="what of the text the model does not read; null: it reads all")
    times_ms: Times
    joint_all_ms: float | None = Field(
        description="what the joint model would take for this query with every image, extrapolated; null without a joint model"
    )


class Info(BaseModel):
    """What is served."""

    name: str = Field(description="name of the index's folder")
    images: int
    structure: str = Field(description=f"how the nearest are found: {', '.join(MEANING)}")
    structure_meaning: str
    model: str
    width: int = Field(description="numbers in a vector")
    joint: bool = Field(description="a joint model is loaded, so rerank=1 is possible")
    max_k: int
    rerank_candidates: int
    max_upload_mb: int
    examples: list[str]


class Health(BaseModel):
    """The server answers."""

    status: str
    images: int


class Problem(BaseModel):
    """What is wrong with a request, in one line."""

    error: str
