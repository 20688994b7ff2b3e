"""What a run measured of one model, for its card: metrics.json and speed.json of a folder results/NAME."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vldeformer.artifact import read_json
from vldeformer.errors import InputError

Interval = tuple[float, float]


class ResultPart(BaseModel):
    """A part of a results file. Keys beyond those that a card shows are welcome."""

    model_config = ConfigDict(frozen=True)


class Direction(ResultPart):
    """Recalls at 1, 5 and 10 of one direction, in percent; intervals: by the same names."""

    at_1: float = Field(alias="R@1")
    at_5: float = Field(alias="R@5")
    at_10: float = Field(alias="R@10")
    intervals: dict[str, Interval]

    def rows(self) -> list[tuple[int, float, Interval]]:
        """K, recall and its interval."""
        found = []
        for k, value in ((1, self.at_1), (5, self.at_5), (10, self.at_10)):
            found.append((k, value, self.intervals[f"R@{k}"]))
        return found


class Recalls(ResultPart):
    """A model under one protocol; mean_recall: mean of the six recalls."""

    protocol: str
    n_images: int
    n_captions: int
    i2t: Direction
    t2i: Direction
    mean_recall: float
    intervals: dict[str, Interval]


class Drop(ResultPart):
    """Mean recall of the joint model less that of the decomposed one on the same pairs, in points."""

    value: float
    low: float
    high: float
    claim: float
    verdict: str


class Times(ResultPart):
    """Joint and decomposed retrieval of the test split, in seconds."""

    speedup: float
    n_images: int
    n_captions: int
    sampled_pairs: int
    joint_seconds_extrapolated: float
    dual_seconds: float
    hardware: str
    device: str
    threads: int
    precision: str


@dataclass(frozen=True)
class CardResults:
    """One model of a run. baseline: the joint model that ``drop`` compares with; times: of the run's main model only."""

    dataset: str
    experiment: str
    recalls: tuple[Recalls, ...]
    baseline: str
    drop: Drop | None
    times: Times | None


def read_results(folder: Path, experiment: str | None = None) -> CardResults:
    """``experiment``: which model of the run; None: its main one. Raises InputError naming what is missing or wrong."""
    path = folder / "metrics.json"
    metrics = read_json(path)
    try:
        models, main = dict(metrics["models"]), metrics["recall_drop"]["model"]
        chosen = main if experiment is None else experiment
        if chosen not in models:
            raise InputError(f"{path}: no model {chosen!r}; there are {', '.join(sorted(models))}")
        entry = models[chosen]
        # Protocol `subset` stands in the entry itself, every other under its name.
        entries = [value for value in (entry, *entry.values()) if isinstance(value, dict) and "n_images" in value]
        drop = metrics["recall_drops"].get(chosen)
        dataset, baseline = str(metrics["dataset"]), str(metrics["recall_drop"]["baseline"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: expected the metrics.json of `vldeformer report`, got something else ({error!r})") from None
    if not entries:
        raise InputError(f"{path}: nothing was measured of model {chosen!r}")
    speed = folder / "speed.json"
    return CardResults(
        dataset=dataset,
        experiment=chosen,
        recalls=tuple(_checked(Recalls, value, path) for value in entries),
        baseline=baseline,
        drop=None if drop is None else _checked(Drop, drop, path),
        times=_checked(Times, read_json(speed), speed) if chosen == main and speed.is_file() else None,
    )


Part = TypeVar("Part", bound=ResultPart)


def _checked(kind: type[Part], value: Any, path: Path) -> Part:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {key}: {first['msg']}; make the report again") from None
