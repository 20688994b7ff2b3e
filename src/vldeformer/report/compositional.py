"""The compositional test by experiment: accuracies, gains over a reference seed by seed, and the table."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from vldeformer.data.sugarcrepe import SUBSETS
from vldeformer.errors import InputError
from vldeformer.evaluation.compositional_result import MEAN, CompositionalResult, accuracy_gain
from vldeformer.evaluation.over_seeds import SeedEstimate
from vldeformer.evaluation.run_facts import Composed, Number
from vldeformer.evaluation.run_report import RunReport
from vldeformer.report.settings import runs_of
from vldeformer.report.sources import Source
from vldeformer.report.table import EXPERIMENT, MODEL, ONE, TITLE_HOW, Column, Row, Table


class CompositionalSet:
    """Results, each with the file it was read from; recorded: those are records of experiments.

    Raises InputError if an experiment has two.
    """

    def __init__(self, results: Iterable[tuple[CompositionalResult, Path]], recorded: bool = False) -> None:
        self._place = "compositional/" if recorded else ""
        self.results: dict[str, CompositionalResult] = {}
        self._files: dict[str, str] = {}
        for result, path in results:
            if result.experiment in self.results:
                raise InputError(f"{path}: experiment {result.experiment!r} has two compositional results; give one")
            self.results[result.experiment], self._files[result.experiment] = result, path.as_posix()
        self._accuracies = {name: result.accuracies() for name, result in self.results.items()}

    @classmethod
    def load(cls, paths: Sequence[Path]) -> "CompositionalSet":
        """Read results of the compositional test."""
        return cls((CompositionalResult.load(path), path) for path in paths)

    def facts(self, experiment: str) -> Composed:
        """What the table shows of one experiment."""
        result, accuracies = self.results[experiment], self._accuracies[experiment]
        described = {name: result.described(name) for name in SUBSETS if name in accuracies}
        blind = {name: one["blind"] for name, one in described.items()}
        return Composed(
            experiment=experiment,
            n_items=len(result.keys),
            accuracies={name: accuracies[name] for name in (*described, MEAN)},
            ties={name: one["tie_rate"] for name, one in described.items()},
            blind=None if None in blind.values() else blind,
            files=(self._files[experiment],),
            place=self._place,
        )

    def accuracy(self, experiment: str) -> Number | None:
        """Accuracy over all subsets: of one run, with its interval, or the mean over seeds; None: not tested."""
        runs = list(runs_of(experiment, self.results).values())
        measured = [self._accuracies[name][MEAN] for name in runs]
        if not runs:
            return None
        if len(runs) == 1:
            one = SeedEstimate(measured[0].value, measured[0].low, measured[0].high)
            return Number(value=one, files=self._files_of(runs), key=f"{self._place}mean/accuracy")
        mean = sum(one.value for one in measured) / len(measured)
        return Number(value=mean, files=self._files_of(runs), seeds=len(runs))

    def gain(self, experiment: str, reference: str | None) -> Number | None:
        """Accuracy minus that of ``reference``, over the seeds that both were run with; None: there is no such seed."""
        others = {} if reference is None else runs_of(reference, self.results)
        pairs = [(name, others[seed]) for seed, name in runs_of(experiment, self.results).items() if seed in others]
        if not pairs:
            return None
        loaded = [(self.results[one], self.results[other]) for one, other in pairs]
        gain = accuracy_gain(loaded, loaded[0][0].bootstrap)[MEAN]
        return Number(value=gain, files=self._files_of(name for pair in pairs for name in pair), seeds=len(pairs))

    def _files_of(self, experiments: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._files[name] for name in experiments))


def compositional_table(report: RunReport) -> Table:
    """Accuracy of every experiment on every subset, then that of a model of the captions alone."""
    first = report.compositional[0]
    subsets = [name for name in SUBSETS if name in first.accuracies]
    rows = [_composed_row(report.titles[one.experiment], one, subsets) for one in report.compositional]
    if first.blind is not None:
        mean = sum(first.blind[name] for name in subsets) / len(subsets)
        keys = {name: f"{first.place}subsets/{name}/blind" for name in subsets}
        values = {"model": "Captions alone (blind)", "experiment": "", **first.blind, MEAN: mean}
        rows.append(Row(values, Source(first.files, keys, "mean over the subsets")))
    columns = [MODEL, EXPERIMENT]
    columns += [Column(name, subset_heading(name), ONE) for name in (*subsets, MEAN)]
    columns += [Column("ties", "Ties", ONE, in_csv=False), *(Column(f"{name}_ties") for name in subsets)]
    caption = (
        f"Compositional test: percent of {first.n_items:,} items in which the true caption scores above a false one (a tie is "
        f"an error), with {report.confidence:.0%} intervals over images. Ties: percent, mean over subsets. "
        f"Data set {report.dataset}."
    )
    return Table("compositional", caption, columns, rows)


def _composed_row(title: str, one: Composed, subsets: list[str]) -> Row:
    values = {"model": title, "experiment": one.experiment, **one.accuracies}
    values |= {f"{name}_ties": one.ties[name] for name in subsets}
    values["ties"] = sum(one.ties[name] for name in subsets) / len(subsets)
    keys = {f"{name}_ties": f"{one.place}subsets/{name}/tie_rate" for name in subsets}
    for name in (*subsets, MEAN):
        place = one.place + (name if name == MEAN else f"subsets/{name}")
        keys |= {name: f"{place}/accuracy", f"{name}_low": f"{place}/interval/0", f"{name}_high": f"{place}/interval/1"}
    return Row(values, Source(one.files, keys, TITLE_HOW), one.experiment)


def subset_heading(name: str) -> str:
    """``replace_obj`` → Replace object."""
    if name == MEAN:
        return "Mean"
    way, what = name.split("_")
    return f"{way.capitalize()} { {'obj': 'object', 'att': 'attribute', 'rel': 'relation'}[what] }"
