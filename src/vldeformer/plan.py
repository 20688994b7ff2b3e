"""What a run consists of: its experiments, which stage may read which section, and which artifacts experiments share.

A stage gets a JSON file of its own sections and of no others, so that a change reruns just the stages that read it.
"""

import functools
import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from vldeformer.artifact import whole_file
from vldeformer.config import BASE, Settings, explain, load_settings
from vldeformer.datasets.sources import ScenesSource
from vldeformer.errors import InputError
from vldeformer.report.settings import Ablation, split_seed
from vldeformer.section import Section

SHARED_HOME = "base"

Layers = Sequence[tuple[str, Mapping[str, Any]]]

STAGE_SECTIONS: dict[str, tuple[str, ...]] = {
    "fetch": ("dataset",),
    "prepare": ("dataset",),
    "features": ("dataset", "regions"),
    "vocabulary": ("vocabulary", "backbone"),
    "pretrain": ("backbone", "pretrain", "runtime"),
    "negatives": ("backbone", "negatives"),
    "train": ("backbone", "train", "runtime"),
    "embed": ("runtime",),
    "score": ("evaluate", "runtime"),
    "score-oracle": (),
    "evaluate": ("evaluate",),
    "compositional-items": ("compositional",),
    "compositional": ("evaluate", "runtime"),
    "rerank": ("evaluate", "rerank", "runtime"),
    "speed": ("speed", "runtime"),
    "report": ("report",),
}
"""The sections that a stage may read."""

MORE_SECTIONS: dict[str, tuple[str, ...]] = {
    "import-features": ("regions",),
    "join-features": (),
    "import-vocabulary": (),
    "import-weights": ("pretrain",),
    "gather": (),
    "pair-time": ("speed", "runtime"),
    "ablations": ("report",),
    "page": ("report",),
    "claims": (),
}
"""The same of the other steps that rules run; their artifacts lie in the homes of the stages above."""

STAGE_INPUTS: dict[str, tuple[str, ...]] = {
    "fetch": (),
    "prepare": ("fetch",),
    "features": ("prepare",),
    "vocabulary": ("features",),
    "pretrain": ("vocabulary",),
    "negatives": ("features",),
    "train": ("pretrain", "negatives"),
    "embed": ("train",),
    "score": ("train",),
    "score-oracle": ("prepare",),
    "evaluate": ("embed", "score", "score-oracle"),
    "compositional-items": ("fetch",),
    "compositional": ("compositional-items", "train"),
    "rerank": ("embed", "train"),
    "speed": ("train",),
    "report": ("evaluate", "compositional", "rerank", "speed"),
}
"""The stages whose output a stage reads; what those read themselves is left out."""


JUDGED_BY = {"dual": "embed", "joint": "score", "oracle": "score-oracle"}
"""Kind of a model → the stage that makes what its recall is measured on."""


class Targets(Section):
    """Experiments of the target ``all``, and those that the target ``ablations`` adds; NAME_seed1 is NAME with train.seed 1."""

    all: list[str] = Field(min_length=1, description="experiments of the target `all`: names of files in config/experiments")
    ablations: list[str] = Field(description="those that the target `ablations` adds; []: none")


class Run(Section):
    """The configfile of a run, e.g. ``config/default.yaml``."""

    dataset: str = Field(description="name of a file in config/datasets")
    experiments: Targets
    embed_shards: int = Field(default=1, ge=1, le=1000, description="jobs that embed side by side; the vectors are the same")


class LoadedWhenAsked(Mapping[str, Settings]):
    """Experiment → settings, read when they are first asked for."""

    def __init__(self, names: Sequence[str], load: Callable[[str], Settings]) -> None:
        self._names = dict.fromkeys(names)
        self._load = functools.cache(load)

    def __getitem__(self, name: str) -> Settings:
        if name not in self._names:
            raise KeyError(name)
        return self._load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class Plan:
    """A run and the settings of each of its experiments, the base one included."""

    run: Run
    settings: Mapping[str, Settings]

    @property
    def base(self) -> Settings:
        """Settings of the base experiment on this dataset."""
        return self.settings[BASE]

    def home(self, experiment: str, stage: str) -> str:
        """Folder name of an experiment's artifacts of a stage: ``base`` if all that made them is as in the base experiment.

        Word pieces that an imported model brings lie with it, never in the folder of those learned here or of another model's.
        """
        own = self.settings[experiment]
        if stage == "vocabulary" and (own.pretrain.checkpoint or self.base.pretrain.checkpoint):
            stage = "pretrain"
        sections = cumulative_sections(stage)
        same = stage_values(own, sections) == stage_values(self.base, sections)
        return SHARED_HOME if same else experiment

    def experiment(self, home: str) -> str:
        """The experiment whose settings hold in a home."""
        return BASE if home == SHARED_HOME else home

    def settings_file(self, home: str, step: str) -> str:
        """Write the settings file of a step in a home if its bytes differ; returns its path, relative to the project."""
        path = Path(f"artifacts/{self.run.dataset}/{home}/settings/{step}.json")
        settings = self.settings[self.experiment(home)]
        sections = (STAGE_SECTIONS | MORE_SECTIONS)[step]
        if "report" in sections:
            named = self.run.experiments
            others = named.ablations if step == "ablations" else []
            settings = report_settings(settings, list(dict.fromkeys([*named.all, *others, "reranked"])))
        version = importlib.import_module(f"vldeformer.steps.{step.replace('-', '_')}").VERSION
        _write_if_other(path, {"version": version, **stage_values(settings, sections)})
        return str(path)

    def missing_raw_files(self, project: Path) -> str | None:
        """What is said of raw files that are not there and that no rule makes; None: all are there."""
        dataset = self.base.dataset
        raw_dir = Path(dataset.raw_dir)
        missing = [raw_dir / name for name in dataset.raw_files if not (project / raw_dir / name).exists()]
        if not missing or isinstance(dataset, ScenesSource):
            return None
        page, tracker = f"config/datasets/{self.run.dataset}.yaml", f"{raw_dir.parts[0]}.dvc"
        remedy = f"`dvc pull {tracker}`" if (project / tracker).is_file() else f"{page} says where they come from (raw_dir)"
        return f"{len(missing)} raw files of data set {dataset.name} are not here, first {missing[0]}: {remedy}"


def load_plan(config_dir: Path, run: Mapping[str, Any], layers: Layers = ()) -> Plan:
    """Settings of every experiment that ``run`` names.

    ``layers``: the files (or options) that ``run`` was merged from, each with its values, the last one wins; messages name them.
    Raises InputError.
    """
    try:
        checked = Run.model_validate(dict(run))
    except ValidationError as error:
        problem = explain(error, Run, layers or [("configfile", run)])
        raise InputError(problem + _where_it_belongs(error)) from None
    names = dict.fromkeys([BASE, *checked.experiments.all, *checked.experiments.ablations])
    return Plan(checked, LoadedWhenAsked(list(names), lambda name: load_settings(config_dir, checked.dataset, name)))


def _where_it_belongs(error: ValidationError) -> str:
    """Of a section of the settings in a configfile: which files may state it."""
    misplaced = [each["loc"][0] for each in error.errors() if each["type"] == "extra_forbidden" and len(each["loc"]) == 1]
    belongs = misplaced and misplaced[0] in Settings.model_fields
    return " here; it belongs in a file of config/experiments or config/datasets" if belongs else ""


def stages_up_to(stage: str) -> list[str]:
    """The stages before a stage and itself, in the order in which they run."""
    before = [name for earlier in STAGE_INPUTS[stage] for name in stages_up_to(earlier)]
    return list(dict.fromkeys([*before, stage]))


def cumulative_sections(stage: str) -> tuple[str, ...]:
    """Sections that a stage and all the stages before it read, in the order of ``Settings``."""
    sections = {name for each in stages_up_to(stage) for name in STAGE_SECTIONS[each]}
    return tuple(name for name in Settings.model_fields if name in sections)


def stage_values(settings: Settings, sections: Sequence[str]) -> dict[str, Any]:
    """Those sections as plain values, as they stand in a stage's file."""
    return {name: getattr(settings, name).model_dump(mode="json") for name in sections}


def write_stage_settings(path: Path, settings: Settings, stage: str) -> None:
    """Write a stage's file, but only if its bytes change: its time of change is what makes the stage run again."""
    _write_if_other(path, stage_values(settings, STAGE_SECTIONS[stage]))


def _write_if_other(path: Path, values: Mapping[str, Any]) -> None:
    # Keys stay in their order, which is that of the rows of the tables in `report.titles`.
    text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
    if path.is_file() and path.read_bytes() == text.encode():
        return
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def report_settings(settings: Settings, experiments: Sequence[str]) -> Settings:
    """The same settings with a report about ``experiments`` only. Raises InputError if one has no title."""
    report = settings.report
    for name in experiments:
        if split_seed(name)[0] not in report.titles:
            raise InputError(f"experiment {name!r} has no title; add it to the setting report.titles")
    order = list(report.titles)
    chosen = sorted(experiments, key=lambda name: (order.index(split_seed(name)[0]), split_seed(name)[1]))
    titles = {name: _title(name, report.titles) for name in chosen}
    decomposed = [name for name in report.decomposed if name in experiments]
    present = {name: _present(ablation, experiments) for name, ablation in report.ablations.items()}
    ablations = {name: ablation for name, ablation in present.items() if len(ablation.rows) > 1}
    counterparts = {name: model for name, model in report.counterparts.items() if name in experiments}
    claimed = [name for name in report.claimed if name in experiments]
    named = {"titles": titles, "decomposed": decomposed, "claimed": claimed, "counterparts": counterparts}
    return settings.model_copy(update={"report": report.model_copy(update=named | {"ablations": ablations})})


def _title(name: str, titles: Mapping[str, str]) -> str:
    plain, seed = split_seed(name)
    return f"{titles[plain]}, seed {seed}" if seed else titles[plain]


def _present(ablation: Ablation, experiments: Sequence[str]) -> Ablation:
    """An ablation without the rows that are not run or whose reference is not; an axis needs three places on it."""
    rows = [row for row in ablation.rows if {row.experiment, ablation.reference_of(row) or row.experiment} <= set(experiments)]
    places = {row.at for row in rows if row.at is not None}
    return ablation.model_copy(update={"rows": rows, "axis": ablation.axis if len(places) > 2 else None})
