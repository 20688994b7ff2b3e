"""``RunReport``: the one record of a run, stored as report.json. Every table, figure and page is a view of it."""

from pathlib import Path
from typing import Any

from pydantic import Field

from vldeformer.artifact import write_json
from vldeformer.errors import InputError
from vldeformer.evaluation.measured_files import Speed, read_measured
from vldeformer.evaluation.run_facts import (
    COMPARED,
    AblationResult,
    Composed,
    Drop,
    Fact,
    MadeOn,
    Model,
    Published,
    Recall,
    Reranking,
    Training,
)

REPORT = "report.json"


class RunReport(Fact):
    """Everything that is shown of a run. models: all with a title, in the order of the tables.

    confidence: share of the resamples inside an interval; counterparts: experiment → published model to compare with.
    records: file of an experiment's record, among ``files`` of the facts → where it was made.
    """

    dataset: str
    main: str
    baseline: str
    confidence: float
    claimed_drop: float
    claimed_speedup: float
    models: tuple[Model, ...]
    recalls: tuple[Recall, ...]
    drops: tuple[Drop, ...]
    ablations: tuple[AblationResult, ...] = ()
    speed: Speed | None = None
    speed_file: str = ""
    reranking: Reranking | None = None
    compositional: tuple[Composed, ...] = ()
    published: tuple[Published, ...] = ()
    published_protocols: tuple[str, ...] = ()
    counterparts: dict[str, str] = Field(default_factory=dict)
    training: tuple[Training, ...] = ()
    records: dict[str, MadeOn] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "RunReport":
        """Read report.json. Raises InputError naming the file and the first key that is missing or wrong."""
        return read_measured(path, cls, "report")

    def save(self, path: Path) -> None:
        """Write report.json."""
        write_json(path, self.model_dump(mode="json"), seal_it=True)

    @property
    def titles(self) -> dict[str, str]:
        """Experiment → title, in the order of the tables."""
        return {model.experiment: model.title for model in self.models}

    def under(self, protocol: str) -> list[Recall]:
        """Recalls under one protocol, in the order of the models."""
        order = list(self.titles)
        return sorted((one for one in self.recalls if one.protocol == protocol), key=lambda one: order.index(one.experiment))

    def recall(self, experiment: str, protocol: str) -> Recall | None:
        """That recall, or None."""
        return next((one for one in self.recalls if (one.experiment, one.protocol) == (experiment, protocol)), None)

    def drop_of(self, experiment: str) -> Drop | None:
        """The recall drop of a decomposed model, or None."""
        return next((one for one in self.drops if one.experiment == experiment), None)

    def ablation(self, name: str) -> AblationResult | None:
        """That ablation, or None."""
        return next((one for one in self.ablations if one.name == name), None)

    def main_drop(self) -> Drop:
        """The recall drop of the main model. Raises InputError if it was not measured."""
        found = self.drop_of(self.main)
        if found is None:
            names = ", ".join(one.experiment for one in self.drops)
            raise InputError(f"report.main is {self.main!r}, expected one of report.decomposed ({names})")
        return found

    def headline(self) -> dict[str, Any]:
        """The main model's line and the mean recall of all, which metrics.json holds.

        It has no time: it is the same in every run on one machine. ``models``: experiment → ``mean_recall`` on the pairs that
        every model scored, and ``test`` with that of the whole test set, in percent, where it was measured.
        """
        found = self.main_drop()
        return {
            "model": self.main,
            "mean_recall": found.mean_recall,
            "joint_mean_recall": found.joint_mean_recall,
            "drop": found.drop.value,
            "drop_low": found.drop.low,
            "drop_high": found.drop.high,
            "verdict": found.verdict.word,
            "models": {name: recalls for name in self.titles if (recalls := self._mean_recalls(name))},
        }

    def _mean_recalls(self, experiment: str) -> dict[str, Any]:
        found = {one.protocol: {"mean_recall": one.mean_recall.value} for one in self.recalls if one.experiment == experiment}
        return found.get(COMPARED, {}) | ({"test": found["test"]} if "test" in found else {})
