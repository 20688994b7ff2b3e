"""The results of one dataset, by experiment and protocol, and differences between models over their common seeds."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.evaluation.over_seeds import SeedEstimate, mean_over_runs, recall_drop
from vldeformer.evaluation.result import RetrievalResult
from vldeformer.report.settings import runs_of

Pairs = dict[int, tuple[RetrievalResult, RetrievalResult]]
"""Seed → results of two experiments on the same images and captions."""


class ResultSet:
    """Results and the files they were read from; recorded: those are records of experiments.

    Raises InputError if they are of different datasets or repeat.
    """

    def __init__(self, results: Iterable[RetrievalResult], paths: Sequence[Path] = (), recorded: bool = False) -> None:
        self._recorded = recorded
        self._results: dict[tuple[str, str], RetrievalResult] = {}
        for result in results:
            key = (result.experiment, result.protocol)
            if key in self._results:
                raise InputError(f"experiment {key[0]!r} has two results under protocol {key[1]!r}; give one")
            self._results[key] = result
        self._paths = dict(zip(self._results, paths, strict=True)) if paths else {}
        datasets = sorted({result.dataset for result in self._results.values()})
        if len(datasets) != 1:
            raise InputError(f"expected the results of one dataset, got {', '.join(datasets) or 'none'}")
        self.dataset = datasets[0]

    @classmethod
    def load(cls, paths: Sequence[Path]) -> "ResultSet":
        """Read RESULT.json files."""
        return cls((RetrievalResult.load(path) for path in paths), paths)

    def need(self, experiment: str, protocol: str) -> RetrievalResult:
        """That result. Raises InputError if there is none."""
        if (experiment, protocol) not in self._results:
            raise InputError(
                f"{self.dataset}: no result of experiment {experiment!r} under protocol {protocol!r}; evaluate it first"
            )
        return self._results[experiment, protocol]

    def files(self, results: Iterable[RetrievalResult]) -> tuple[str, ...]:
        """The files that they were read from, as they were given."""
        keys = dict.fromkeys((result.experiment, result.protocol) for result in results)
        return tuple(self._paths[key].as_posix() for key in keys if key in self._paths)

    def place(self, result: RetrievalResult) -> str:
        """Keys in its file above those of a RESULT.json: a record holds several results."""
        return f"results/{result.protocol}/" if self._recorded else ""

    def ordered(self, titles: dict[str, str], protocol: str) -> list[RetrievalResult]:
        """Those under ``protocol`` in the order of ``titles``. Raises InputError if an experiment has no title."""
        missing = sorted({experiment for experiment, _ in self._results} - set(titles))
        if missing:
            raise InputError(f"experiment {missing[0]!r} has no title; add it to the setting `report.titles`")
        return [self._results[name, protocol] for name in titles if (name, protocol) in self._results]

    def runs(self, experiment: str, protocol: str) -> dict[int, RetrievalResult]:
        """Results of an experiment's runs by seed: that of its files is 0. Raises InputError if there is none."""
        self.need(experiment, protocol)
        names = runs_of(experiment, [name for name, own in self._results if own == protocol])
        return {seed: self._results[name, protocol] for seed, name in names.items()}

    def pairs(self, model: str, other: str, protocol: str) -> Pairs:
        """Results of two experiments by the seeds that both were run with. Raises InputError if their queries differ."""
        first, second = self.runs(model, protocol), self.runs(other, protocol)
        pairs = {seed: (result, second[seed]) for seed, result in first.items() if seed in second}
        ids = {(result.image_ids, result.caption_ids) for pair in pairs.values() for result in pair}
        if len(ids) > 1:
            raise InputError(
                f"{self.dataset}: {model!r} and {other!r} were scored on different pairs; score both on the same images"
            )
        return pairs


def difference(pairs: Pairs) -> SeedEstimate:
    """Mean recall of the first of each pair minus that of the second, in points, with a paired interval over seeds and images."""
    one = next(iter(pairs.values()))[0]
    return recall_drop([(a.ranks, b.ranks) for a, b in pairs.values()], one.caption_image_index, one.bootstrap)


def mean_of(runs: Sequence[RetrievalResult]) -> SeedEstimate:
    """Mean recall of an experiment's runs, in percent; the interval is over seeds and images."""
    return mean_over_runs([run.ranks for run in runs], runs[0].caption_image_index, runs[0].bootstrap)
