"""Assemble the settings of an experiment from its files, and say in one line what is wrong with them.

Every key is stated in the complete file ``experiments/decomposed.yaml`` (and the dataset's own in ``datasets/NAME.yaml``); the
other files state differences. Later ones win:

    experiments/decomposed.yaml → datasets/NAME.yaml → experiments/EXPERIMENT.yaml → ``experiments: EXPERIMENT:`` of the dataset's

``EXPERIMENT_seed2`` needs no file: it is EXPERIMENT with ``train.seed: 2``.
This module imports no torch: the workflow reads the settings each time it is started.
"""

import copy
import difflib
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from vldeformer.datasets.sources import SOURCES, DatasetSettings
from vldeformer.errors import InputError
from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.timing import SpeedSettings
from vldeformer.inputs.settings import NegativeSettings, VocabularySettings
from vldeformer.models.settings import BackboneSettings
from vldeformer.report.settings import ReportSettings, split_seed
from vldeformer.retrieval.reranking import RerankSettings
from vldeformer.runtime import RuntimeSettings
from vldeformer.scenes.world_settings import CompositionalSettings, RegionSettings
from vldeformer.section import Section, expected_and_got
from vldeformer.training.settings import PretrainSettings, TrainSettings

BASE = "decomposed"
"""The experiment whose file is complete, and whose artifacts the others share where their settings agree."""


class Settings(Section):
    """Everything that one experiment on one dataset is made from."""

    dataset: DatasetSettings
    regions: RegionSettings
    vocabulary: VocabularySettings
    backbone: BackboneSettings
    negatives: NegativeSettings
    pretrain: PretrainSettings
    train: TrainSettings
    evaluate: EvaluationSettings
    compositional: CompositionalSettings
    rerank: RerankSettings
    speed: SpeedSettings
    runtime: RuntimeSettings
    report: ReportSettings


def load_settings(config_dir: Path, dataset: str, experiment: str) -> Settings:
    """Merge the files of one experiment on one dataset and check them.

    Raises InputError (one line: file, setting, what was expected, what came) if a file is missing or is not YAML, if a setting
    is unknown, missing or of a wrong type, or if two settings do not go together.
    """
    dataset_path = _existing(config_dir / "datasets" / f"{dataset}.yaml", f"dataset {dataset!r}")
    layers = [read_layer(config_dir / "experiments" / f"{BASE}.yaml"), read_layer(dataset_path)]
    special = layers[1][1].pop("experiments", None) or {}
    if not isinstance(special, dict) or not all(isinstance(value, dict) for value in special.values()):
        raise InputError(f"{dataset_path}: experiments: expected differences by experiment, got {special!r}")
    for name in special:
        _existing(config_dir / "experiments" / f"{name}.yaml", f"{dataset_path}: experiments: experiment {name!r}")
    plain, seed = split_seed(experiment)
    if plain != BASE:
        path = _existing(config_dir / "experiments" / f"{plain}.yaml", f"experiment {experiment!r}")
        layers.append(read_layer(path))
    layers.append((f"{dataset_path}: experiments.{plain}", special.get(plain, {})))
    if seed:
        layers.append((f"experiment {experiment}", {"train": {"seed": seed}}))
    merged: dict[str, Any] = {}
    for _, layer in layers:
        merged = _merge(merged, layer)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise InputError(explain(error, Settings, layers)) from None
    _check_together(settings, " + ".join(source for source, layer in layers if layer))
    return settings


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML in which a key that is given twice is an error, not a silent replacement."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(problem=f"key {key!r} is not a name", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _existing(path: Path, what: str) -> Path:
    if path.is_file():
        return path
    near = difflib.get_close_matches(path.stem, [other.stem for other in path.parent.glob("*.yaml")], n=1)
    raise InputError(f"{what} is unknown: expected the file {path}, found none{_hint(near)}")


def read_layer(path: Path) -> tuple[str, dict[str, Any]]:
    """A settings file's name and its values. Raises InputError if there is none, if it is not YAML, or a key is given twice."""
    if not path.is_file():
        raise InputError(f"{path}: expected a settings file, found none")
    try:
        values = copy.deepcopy(_parsed(path.read_text(encoding="utf-8")))
    except yaml.MarkedYAMLError as error:
        where = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{where}: expected YAML, got an error: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected YAML in UTF-8, got an error: {' '.join(str(error).split())}") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected sections of settings, got {type(values).__name__}")
    return str(path), values


@functools.lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    """A plan reads the complete file once for every experiment, and YAML is slow."""
    return yaml.load(text, Loader=_UniqueKeyLoader)


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; anything else in ``above`` replaces what is below."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def explain(error: ValidationError, model: type[BaseModel], layers: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """One line about one problem: the file that states it, the setting, what was expected and what came.

    An unknown key is named before the one that is missing because of it.
    """
    problems = error.errors()
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    path = [str(key) for key in first["loc"]]
    if path[0] == "dataset":
        del path[1:2]  # pydantic puts in the kind of the dataset, which no file has there
    name = ".".join(path)
    if first["type"] == "missing":
        # A list is its last file's alone; of keys the first file that states their section must state all.
        order = reversed(layers) if any(map(str.isdigit, path)) else layers
        source = next((source for source, layer in order if _states(layer, path[:-1])), layers[0][0])
        return f"{source}: setting {name} is missing; this file must state every key"
    source = next((source for source, layer in reversed(layers) if _states(layer, path)), layers[0][0])
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path[-1], _known_keys(model, path[:-1]), n=1)
        return f"{source}: setting {name} is unknown{_hint(['.'.join([*path[:-1], *near])] if near else [])}"
    return f"{source}: setting {name}: {expected_and_got(first)}"


def _states(layer: Any, path: Sequence[str]) -> bool:
    for key in path:
        if isinstance(layer, list) and key.isdigit() and int(key) < len(layer):
            layer = layer[int(key)]
        elif isinstance(layer, dict) and key in layer:
            layer = layer[key]
        else:
            return False
    return True


def _known_keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Names of the settings at a place, by the schema."""
    schema = model.model_json_schema()
    definitions, places = schema.get("$defs", {}), [schema]
    for key in [*path, None]:
        places = [
            definitions[reference["$ref"].rsplit("/", 1)[-1]] if "$ref" in reference else reference
            for place in places
            for reference in place.get("oneOf", [place])
        ]
        if key is not None:
            places = [place["properties"][key] for place in places if key in place.get("properties", {})]
    return sorted({name for place in places for name in place.get("properties", {})})


def _hint(near: Sequence[str]) -> str:
    return f"; did you mean {near[0]}?" if near else ""


def _check_together(settings: Settings, source: str) -> None:
    """What no single section can know. Raises InputError."""
    dataset, backbone = settings.dataset, settings.backbone
    described, side = dataset.gives_regions, dataset.square_side
    with_regions = " or ".join(key for key, kind in SOURCES.items() if kind.gives_regions)
    problems = [
        (
            backbone.reads != "pixels" and not described,
            f"backbone.kind {backbone.kind} needs the regions of dataset.source {with_regions}; set it to vilt",
        ),
        (
            backbone.reads == "pixels" and not dataset.gives_pixels,
            f"backbone.kind vilt needs photographs, dataset.source {dataset.source} has regions only; set it to oscar",
        ),
        (
            backbone.kind == "vilt" and backbone.crop_size % backbone.patch_size > 0,
            f"backbone.patch_size must divide backbone.crop_size, got {backbone.patch_size} and {backbone.crop_size}",
        ),
        (
            backbone.kind == "vilt" and not backbone.keep_aspect and side is not None and backbone.crop_size > side,
            f"backbone.crop_size must not exceed the dataset's image_size, got {backbone.crop_size} and {side}",
        ),
        (
            backbone.kind == "vilt" and not backbone.keep_aspect and side is None and not described,
            "dataset.photographs as_they_are needs backbone.keep_aspect true; set it, or photographs: squares with an image_size",
        ),
    ]
    negatives, train = settings.negatives, settings.train
    undetected = train.needs_composed and backbone.reads == "pixels"
    problems += [
        (
            backbone.keep_aspect and train.kind == "dual" and train.pooling == "mean_all",
            "train.pooling mean_all needs inputs of one length, photographs with backbone.keep_aspect have none; set it to mean",
        ),
        (
            train.needs_composed and negatives.images != train.images,
            f"negatives.images must be train.images where composed negatives are read, got {negatives.images} and {train.images}",
        ),
        (
            undetected and negatives.image_partner == "near",
            f"negatives.image_partner near needs regions, backbone.kind {backbone.kind} has none; set it to category or random",
        ),
        (
            undetected and negatives.replacements == "tags",
            f"negatives.replacements tags needs a detector, backbone.kind {backbone.kind} has none; set it to corpus",
        ),
        (
            train.joint_layers is not None and train.joint_layers > backbone.layers,
            f"train.joint_layers must not exceed backbone.layers, got {train.joint_layers} and {backbone.layers}",
        ),
    ]
    for name, training in (("pretrain", settings.pretrain), ("train", settings.train)):
        too_long = 0 < training.steps <= training.warmup_steps
        steps = f"{training.warmup_steps} and {training.steps}"
        problems.append((too_long, f"{name}.warmup_steps must be fewer than {name}.steps, got {steps}"))
    for wrong, problem in problems:
        if wrong:
            raise InputError(f"{source}: {problem}")
