"""The compositional test in tables: accuracy by subset beside a blind baseline, and beside the recalls of ablations."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from vldeformer.data.sugarcrepe import SUBSETS
from vldeformer.errors import InputError
from vldeformer.evaluation.compositional_result import MEAN, CompositionalResult, accuracy_gain
from vldeformer.report.ablations import Beside, Quantity
from vldeformer.report.settings import Ablation, runs_of
from vldeformer.report.sources import Source
from vldeformer.report.tables import Table, columns, with_interval


class CompositionalSet:
    """Results of the test by experiment, and the files they were read from. Raises InputError if an experiment has two."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.results: dict[str, CompositionalResult] = {}
        self._files: dict[str, str] = {}
        for path in paths:
            result = CompositionalResult.load(path)
            if result.experiment in self.results:
                raise InputError(f"{path}: experiment {result.experiment!r} has two compositional results; give one")
            self.results[result.experiment], self._files[result.experiment] = result, path.as_posix()
        self.accuracies = {name: result.accuracies() for name, result in self.results.items()}

    def files(self, experiments: Sequence[str]) -> tuple[str, ...]:
        """Their files, each once."""
        return tuple(dict.fromkeys(self._files[name] for name in experiments))

    def runs(self, experiment: str) -> dict[int, str]:
        """Seed → name of an experiment's runs that were tested."""
        return runs_of(experiment, self.results)

    def quantities(self, ablation: Ablation) -> list[Quantity]:
        """Accuracy of each row, the mean over seeds, and its gain against the row's reference."""
        accuracies, gains = {}, {}
        for row in ablation.rows:
            runs, reference = self.runs(row.experiment), ablation.reference_of(row)
            if not runs:
                continue
            accuracies[row.experiment] = self._accuracy(list(runs.values()))
            others = {} if reference is None else self.runs(reference)
            pairs = [(name, others[seed]) for seed, name in runs.items() if seed in others]
            if pairs:
                loaded = [(self.results[one], self.results[other]) for one, other in pairs]
                gain = accuracy_gain(loaded, loaded[0][0].bootstrap)[MEAN]
                gains[row.experiment] = Beside(gain, self.files([name for pair in pairs for name in pair]), seeds=len(pairs))
        return [
            Quantity("compositional", "Compositional (%)", 1, accuracies),
            Quantity("compositional_gain", "Compositional gain (points)", 2, gains),
        ]

    def _accuracy(self, runs: Sequence[str]) -> Beside:
        measured = [self.accuracies[name][MEAN] for name in runs]
        if len(runs) == 1:
            return Beside(measured[0], self.files(runs), "mean/accuracy")
        return Beside(sum(one.value for one in measured) / len(measured), self.files(runs), seeds=len(runs))


def compositional_table(found: CompositionalSet, titles: Mapping[str, str]) -> Table:
    """Accuracy of every experiment on every subset; then what a blind model of the captions alone reaches."""
    chosen = [found.results[name] for name in titles if name in found.results]
    subsets = [name for name in SUBSETS if name in chosen[0].subsets]
    shown, numbers, sources = [], [], []
    for result in chosen:
        accuracies = found.accuracies[result.experiment]
        rates = [result.described(name)["tie_rate"] for name in subsets]
        cells = {subset_heading(name): with_interval(accuracies[name]) for name in (*subsets, MEAN)}
        shown.append({"Model": titles[result.experiment]} | cells | {"Ties": f"{sum(rates) / len(rates):.1f}"})
        exact: dict[str, object] = {"model": titles[result.experiment], "experiment": result.experiment}
        for name in (*subsets, MEAN):
            exact |= columns(name, accuracies[name])
        exact |= {f"{name}_ties": rate for name, rate in zip(subsets, rates, strict=True)}
        numbers.append(exact)
        keys = _keys(subsets) | {f"{name}_ties": f"subsets/{name}/tie_rate" for name in subsets}
        sources.append(Source(found.files([result.experiment]), keys, "a title of the settings"))
    first = chosen[0]
    blind = {name: first.described(name)["blind"] for name in subsets}
    if all(value is not None for value in blind.values()):
        mean = sum(blind.values()) / len(blind)
        shown.append(
            {"Model": "Captions alone (blind)"}
            | {subset_heading(name): f"{value:.1f}" for name, value in (blind | {MEAN: mean}).items()}
        )
        numbers.append({"model": "Captions alone (blind)", "experiment": ""} | blind | {MEAN: mean})
        keys = {name: f"subsets/{name}/blind" for name in subsets}
        sources.append(Source(found.files([first.experiment]), keys, "mean over the subsets"))
    caption = (
        f"Compositional test: percent of {len(first.keys):,} items in which the true caption scores above a false one (a tie is "
        f"an error), with {first.bootstrap.confidence:.0%} intervals over images. Ties: percent, mean over subsets. "
        f"Data set {first.dataset}."
    )
    return Table("compositional", caption, pd.DataFrame(shown).fillna(""), pd.DataFrame(numbers), sources)


def subset_heading(name: str) -> str:
    """``replace_obj`` → Replace object."""
    if name == MEAN:
        return "Mean"
    way, what = name.split("_")
    return f"{way.capitalize()} { {'obj': 'object', 'att': 'attribute', 'rel': 'relation'}[what] }"


def _keys(subsets: Sequence[str]) -> dict[str, str]:
    places = {name: f"subsets/{name}" for name in subsets} | {MEAN: MEAN}
    keys = {name: f"{place}/accuracy" for name, place in places.items()}
    keys |= {f"{name}_low": f"{place}/interval/0" for name, place in places.items()}
    return keys | {f"{name}_high": f"{place}/interval/1" for name, place in places.items()}
