"""What a run consists of: its experiments, which step may read which section, and which artifacts experiments share.

A step gets a JSON file of its own sections and its VERSION, and of nothing else, so that it runs again exactly when one of these
changes. Settings are loaded and files are written only for what is asked.
"""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vldeformer.artifact import read_json, whole_file
from vldeformer.errors import InputError
from vldeformer.evaluation.record_settings import difference, record_file
from vldeformer.planning.comparison import report_settings
from vldeformer.planning.config import Settings, load_settings
from vldeformer.planning.experiment_files import BASE, ExperimentFiles
from vldeformer.planning.layers import Layers, explain
from vldeformer.planning.recorded_settings import model_settings, recorded_settings, reranked_settings
from vldeformer.planning.run import Run
from vldeformer.planning.step_sections import (
    COMPARED_BY,
    JUDGED_BY,
    STEP_SECTIONS,
    cumulative_sections,
    section_values,
    step_version,
)
from vldeformer.report.settings import ReportSettings, split_seed
from vldeformer.training.optimizer_settings import RetrievalTraining

SHARED_HOME = "base"

RERANKED = "reranked"
"""A model of the tables that is no experiment: it is made of two."""


class ExperimentSettings(Mapping[str, Settings]):
    """Name → settings of each experiment of a run. Names are there at once; settings are loaded when they are asked for, once."""

    def __init__(self, files: ExperimentFiles, dataset: str, names: Sequence[str]) -> None:
        self._files, self._dataset, self._names = files, dataset, dict.fromkeys(names)
        self._loaded: dict[str, Settings] = {}

    def __getitem__(self, name: str) -> Settings:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = load_settings(self._files, self._dataset, name)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Plan:
    """A run and its experiments, the base one included.

    Attributes:
        run: the configfile.
        files: the folder ``config``.
        experiments: names under ``all``.
        ablated: those and what the target ``ablations`` adds.
        settings: name → settings, of all of these and of the base experiment.

    """

    def __init__(self, run: Run, files: ExperimentFiles) -> None:
        self.run, self.files = run, files
        self.experiments = list(dict.fromkeys(run.experiments.all))
        self.ablated = list(dict.fromkeys([*self.experiments, *run.experiments.added(files)]))
        for name in self.ablated:
            files.check_known(split_seed(name)[0], f"experiment {name!r}")
        self.settings = ExperimentSettings(files, run.dataset, [BASE, *self.ablated])
        self._texts: dict[tuple[str, str], str] = {}
        self._written: dict[tuple[str, str], str] = {}

    @property
    def base(self) -> Settings:
        """Settings of the base experiment on this dataset."""
        return self.settings[BASE]

    @functools.cached_property
    def report(self) -> ReportSettings:
        """What the report of the target ``all`` compares."""
        return report_settings(self.files, self.base.report, [*self.experiments, RERANKED], self.read_elsewhere)

    @functools.cached_property
    def ablations_report(self) -> ReportSettings:
        """What the report of the target ``ablations`` compares."""
        return report_settings(self.files, self.base.report, [*self.ablated, RERANKED], self.read_elsewhere)

    @functools.cached_property
    def read_elsewhere(self) -> set[str]:
        """Models that a text transformer reads for or started: theirs or their control's was trained on other texts."""
        read_by = {name: (name, self.control_of(name)) for name in self.settings}
        started = {name for name, own in self.settings.items() if own.backbone.text_start is not None}
        found = {name for name, models in read_by.items() if started & {*models}}
        parts = {self.base.report.main, self.base.report.baseline}
        return found | ({RERANKED} if parts & found else set())

    def home(self, experiment: str, step: str) -> str:
        """Folder name of an experiment's artifacts of a step.

        Experiments share the folder of the first experiment of the plan with which all that makes the artifacts is equal;
        that of the base experiment is named ``base``. Word pieces that an imported model brings are in its folder, never in that
        of those learned here or of another model's.
        """
        own = self.settings[experiment]
        if step == "vocabulary" and (own.pretrain.checkpoint or self.base.pretrain.checkpoint):
            step = "pretrain"
        sections = cumulative_sections(step)
        wanted = [self._text(experiment, name) for name in sections]
        for name in self.settings:
            if name == experiment or all(self._text(name, part) == text for part, text in zip(sections, wanted, strict=True)):
                return SHARED_HOME if name == BASE else name
        raise AssertionError("an experiment of the plan is equal to itself")

    def _text(self, experiment: str, section: str) -> str:
        key = experiment, section
        if key not in self._texts:
            self._texts[key] = getattr(self.settings[experiment], section).model_dump_json()
        return self._texts[key]

    def experiment(self, home: str) -> str:
        """The experiment whose settings hold in a home."""
        return BASE if home == SHARED_HOME else home

    def settings_values(self, home: str, step: str) -> dict[str, Any]:
        """What the settings file of a step in a home holds."""
        values: dict[str, Any] = {"version": step_version(step)}
        if step == "record":
            name = self.experiment(home)
            return values | {"record": {"dataset": self.run.dataset, "experiment": name, "settings": self.recorded(name)}}
        if step in COMPARED_BY:
            compared = self.report if COMPARED_BY[step] == "all" else self.ablations_report
            values["report"] = compared.model_dump(mode="json")
        if step == "ablations":
            return values | {"records": {name: self.recorded(name) for name in self.tabled}}
        if step in COMPARED_BY:
            return values
        return values | section_values(self.settings[self.experiment(home)], STEP_SECTIONS[step])

    def settings_file(self, home: str, step: str) -> str:
        """Path of the settings file of a step in a home, written only if its bytes differ: its time makes the step run again."""
        key = home, step
        if key not in self._written:
            path = Path("artifacts", self.run.dataset, home, "settings", f"{step}.json")
            # Keys stay in their order, which is that of the rows of the tables in `report.titles`.
            text = json.dumps(self.settings_values(home, step), indent=1, ensure_ascii=False) + "\n"
            if not path.is_file() or path.read_bytes() != text.encode():
                with whole_file(path) as temporary:
                    temporary.write_text(text, encoding="utf-8")
            self._written[key] = str(path)
        return self._written[key]

    @functools.cached_property
    def tabled(self) -> list[str]:
        """Models in the tables of the ablations: each has a record. The re-ranked one is made of two that must be in the run."""
        choices = self.base.report
        return [*self.ablated, *([RERANKED] if {choices.main, choices.baseline} <= {*self.ablated} else [])]

    @functools.cached_property
    def timed(self) -> list[str]:
        """Joint models among the rows of the ablations: the time of a pair is measured at their depth."""
        rows = (row.experiment for ablation in self.ablations_report.ablations.values() for row in ablation.rows)
        return [name for name in dict.fromkeys(rows) if self.settings[name].train.kind == "joint"]

    def recorded(self, experiment: str) -> dict[str, Any]:
        """The settings that an experiment's record must have; ``reranked`` is an experiment here."""
        choices = self.base.report
        if experiment == RERANKED:
            found = reranked_settings(self.base, self.settings[choices.main])
            dual = found["dual"] | self._control(choices.main)
            return found | {"dual": dual, "joint": self._model(choices.baseline)}
        own = self.settings[experiment]
        found = recorded_settings(own, experiment in self.timed) | self._control(experiment)
        taught = isinstance(own.train, RetrievalTraining) and own.train.needs_teacher
        return found | ({"teacher": self._model(choices.baseline)} if taught else {})

    def _model(self, experiment: str) -> dict[str, Any]:
        """Settings of a model alone, with those of the control that its training reads."""
        return model_settings(self.settings[experiment]) | self._control(experiment)

    def _control(self, experiment: str) -> dict[str, Any]:
        control = self.control_of(experiment)
        return {} if control is None else {"control": self._model(control)}

    def control_of(self, experiment: str) -> str | None:
        """The experiment that ranks the negatives of a training or gives it soft targets; None: there is none.

        Raises:
            InputError: it is not in this run, or has a control itself.

        """
        train = self.settings[experiment].train
        name = train.control if isinstance(train, RetrievalTraining) else None
        if name is None:
            return None
        if name not in self.settings:
            raise InputError(f"experiment {experiment}: its control is {name!r}, which is not in this run; add it to experiments")
        its = self.settings[name].train
        if its.kind != "dual" or its.control is not None:
            raise InputError(f"experiment {experiment}: its control {name!r} must be a decomposed model without a control")
        return name

    @functools.cached_property
    def standing(self) -> list[str]:
        """Experiments that are not trained, because their committed records stand for them.

        The record has the settings of this plan, and the model is not here. Experiments of the target ``all`` are trained in any
        case: the page shows their vectors. Experiments that share a model are trained together or not at all, so that one run
        does not change what the next one finds.
        """
        trained: set[str] = set()
        standing: dict[str, str] = {}
        for name in self.ablated:
            train = self.settings[name].train
            step = "train" if isinstance(train, RetrievalTraining) else JUDGED_BY[train.kind]
            home = self.home(name, step)
            folder = Path("artifacts", self.run.dataset, home, step)
            made = (folder / "model" if step == "train" else folder).is_dir()
            if self.run.fresh or made or name in self.experiments or not self._has_record(name):
                trained.add(home)
            else:
                standing[name] = home
        return [name for name, home in standing.items() if home not in trained]

    def _has_record(self, experiment: str) -> bool:
        path = record_file(self.run.dataset, experiment)
        try:
            found = read_json(path) if path.is_file() else None
        except InputError:
            return False
        return isinstance(found, dict) and difference(self.recorded(experiment), found.get("settings")) is None

    def missing_raw_files(self, project: Path) -> str | None:
        """What is said of raw files that are not there and that no rule makes; None: all are there."""
        dataset = self.base.dataset
        raw_dir = Path(dataset.raw_dir)
        missing = [raw_dir / name for name in dataset.raw_files if not (project / raw_dir / name).exists()]
        if not missing or dataset.made_here:
            return None
        page, tracker = f"config/datasets/{self.run.dataset}.yaml", f"{raw_dir.parts[0]}.dvc"
        remedy = f"`dvc pull {tracker}`" if (project / tracker).is_file() else f"{page} says where they come from (raw_dir)"
        return f"{len(missing)} raw files of data set {dataset.name} are not here, first {missing[0]}: {remedy}"


def load_plan(config_dir: Path, run: Mapping[str, Any], layers: Layers = ()) -> Plan:
    """The plan of a run. The names of its experiments are checked, their settings when they are asked for.

    Args:
        config_dir: the folder ``config`` of a project.
        run: values of the configfile.
        layers: the files (or options) that ``run`` was merged from, each with its values; the last one wins. Messages name them.

    Raises:
        InputError: the configfile or a file that it names is wrong.

    """
    try:
        checked = Run.model_validate(dict(run))
    except ValidationError as error:
        problem = explain(error, Run, layers or [("configfile", run)])
        raise InputError(problem + _where_it_belongs(error)) from None
    return Plan(checked, ExperimentFiles(config_dir))


def _where_it_belongs(error: ValidationError) -> str:
    """Of a section of the settings in a configfile: which files may state it."""
    misplaced = [each["loc"][0] for each in error.errors() if each["type"] == "extra_forbidden" and len(each["loc"]) == 1]
    if misplaced and misplaced[0] == "title":
        return " here; it belongs in a file of config/experiments"
    belongs = misplaced and misplaced[0] in Settings.model_fields
    return " here; it belongs in a file of config/experiments or config/datasets" if belongs else ""
