"""What can be wrong with a run before it begins: its settings, its raw files, the device it asks for."""

from pathlib import Path

from vldeformer.config import read_layer
from vldeformer.data.sources import ScenesSource
from vldeformer.errors import InputError
from vldeformer.plan import Plan, load_plan
from vldeformer.runtime import find_device


def check_run(project: Path, configfile: Path) -> list[str]:
    """A line for each problem. Settings that are wrong are the only one told: the rest is read from them."""
    try:
        layer = read_layer(project / configfile)
        plan = load_plan(project / "config", layer[1], [layer])
    except InputError as error:
        return [f"settings: {error}"]
    return [*_raw_files(project, plan, configfile), *_device(plan)]


def _raw_files(project: Path, plan: Plan, configfile: Path) -> list[str]:
    dataset = plan.base.dataset
    if isinstance(dataset, ScenesSource):  # the workflow makes them
        return []
    missing = [name for name in dataset.raw_files if not (project / dataset.raw_dir / name).exists()]
    if not missing:
        return []
    first = Path(dataset.raw_dir) / missing[0]
    page = f"config/datasets/{plan.run.dataset}.yaml"
    return [f"{len(missing)} raw files of {configfile} are not here, first {first}: {page} says where they come from (raw_dir)"]


def _device(plan: Plan) -> list[str]:
    if all(settings.runtime.device == "cpu" for settings in plan.settings.values()):
        return []
    try:
        find_device("cuda")
    except InputError as error:
        return [f"settings: runtime.{error}"]
    return []
