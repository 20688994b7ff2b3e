"""Which files an experiment is made of: a file of its own, or a row of an ablation.

    report.yaml → experiments/decomposed.yaml → datasets/NAME.yaml → the experiment → ``experiments:`` of the dataset's file

``EXPERIMENT_seed2`` needs no file: it is EXPERIMENT with ``train.seed: 2``.
"""

import difflib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vldeformer.errors import InputError
from vldeformer.planning.ablation_files import AblationFile, Row, nested, read_ablations
from vldeformer.planning.layers import Layer, existing, hint, read_layer
from vldeformer.report.settings import split_seed

BASE = "decomposed"
"""The experiment whose file is complete, and whose artifacts the others share where their settings agree."""


class ExperimentFiles:
    """The folder ``config`` of a project. Ablations are read when they are first needed, and once."""

    def __init__(self, config_dir: Path) -> None:
        self.config_dir = config_dir

    @functools.cached_property
    def ablations(self) -> dict[str, AblationFile]:
        """Name of a file → ablation."""
        return read_ablations(self.config_dir / "ablations")

    @functools.cached_property
    def rows(self) -> dict[str, tuple[str, Row]]:
        """Name of an experiment that is a row → name of its ablation, and the row."""
        found = {}
        for name, ablation in self.ablations.items():
            for row in ablation.rows:
                experiment = ablation.name_of(row, name)
                if row.set is not None and self._file(experiment).is_file():
                    path = self.config_dir / "ablations" / f"{name}.yaml"
                    raise InputError(f"{path}: a row is named {experiment}, as {self._file(experiment)}; give it another name")
                if row.set is not None:
                    found[experiment] = name, row
        return found

    def title(self, experiment: str) -> str | None:
        """What tables call an experiment; None: nothing says it."""
        if self._file(experiment).is_file():
            title = read_layer(self._file(experiment))[1].get("title")
            return None if title is None else str(title)
        if experiment in self.rows:
            row = self.rows[experiment][1]
            return row.full_title or row.title
        return None

    def layers(self, dataset: str, experiment: str) -> list[Layer]:
        """Every layer of the settings of an experiment on a dataset, the last one wins.

        Raises:
            InputError: a file is missing or wrong, or no file and no row has that name.

        """
        path = existing(self.config_dir / "datasets" / f"{dataset}.yaml", f"dataset {dataset!r}")
        source, values = read_layer(path)
        special = values.pop("experiments", None) or {}
        if not isinstance(special, dict) or not all(isinstance(value, dict) for value in special.values()):
            raise InputError(f"{path}: experiments: expected differences by experiment, got {special!r}")
        for name in special:
            self.check_known(name, f"{path}: experiments: experiment {name!r}")
        complete = self._experiment_layer(BASE)
        plain, seed = split_seed(experiment)
        layers = [read_layer(self.config_dir / "report.yaml"), complete, (source, values)]
        layers += self._own(plain, f"experiment {experiment!r}", special, str(path))
        layers.append((f"{path}: experiments.{plain}", special.get(plain, {})))
        if seed:
            layers.append((f"experiment {experiment}", {"train": {"seed": seed}}))
        return layers

    def _own(self, name: str, what: str, special: Mapping[str, Any], dataset_path: str) -> list[Layer]:
        """What an experiment itself differs by. A row starts from its base, with what the dataset says of that one."""
        if name == BASE:
            return []
        self.check_known(name, what)
        if self._file(name).is_file():
            return [self._experiment_layer(name)]
        ablation, row = self.rows[name]
        base = row.base or self.ablations[ablation].base
        path = self.config_dir / "ablations" / f"{ablation}.yaml"
        below = self._own(base, f"{path}: base {base!r}", special, dataset_path)
        if base != BASE:
            below.append((f"{dataset_path}: experiments.{base}", special.get(base, {})))
        return [*below, (f"{path} row {name}", nested(row.set or {}))]

    def _experiment_layer(self, name: str) -> Layer:
        source, values = read_layer(self._file(name))
        values.pop("title", None)
        return source, values

    def _file(self, name: str) -> Path:
        return self.config_dir / "experiments" / f"{name}.yaml"

    def check_known(self, name: str, what: str) -> None:
        """Raises InputError, beginning with ``what``, unless a file or a row has that name."""
        if not self._file(name).is_file() and name not in self.rows:
            names = [*(path.stem for path in self._file("x").parent.glob("*.yaml")), *self.rows]
            near = difflib.get_close_matches(name, names, n=1)
            files = f"the file {self._file(name)} or a row of {self.config_dir / 'ablations'} with that name"
            raise InputError(f"{what} is unknown: expected {files}, found none{hint(near)}")
