"""What can be wrong with a run before it begins: its settings, its raw files, the device it asks for."""

from pathlib import Path

from vldeformer.errors import InputError
from vldeformer.planning.config import Settings
from vldeformer.planning.layers import read_layer
from vldeformer.planning.plan import load_plan
from vldeformer.runtime import find_device


def check_run(project: Path, configfile: Path) -> list[str]:
    """A line for each problem. Settings that are wrong are the only one told: the rest is read from them."""
    try:
        layer = read_layer(project / configfile)
        plan = load_plan(project / "config", layer[1], [layer])
        settings = list(plan.settings.values())
    except InputError as error:
        return [f"settings: {error}"]
    missing = plan.missing_raw_files(project)
    return [*([missing] if missing else []), *_device(settings)]


def _device(settings: list[Settings]) -> list[str]:
    if all(one.runtime.device == "cpu" for one in settings):
        return []
    try:
        find_device("cuda")
    except InputError as error:
        return [f"settings: runtime.{error}"]
    return []
