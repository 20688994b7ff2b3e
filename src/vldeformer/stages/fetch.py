"""Stage `fetch`: make the raw files of the built-in world."""

from pathlib import Path

from vldeformer.data.scenes import write_scenes
from vldeformer.data.sources import ScenesSource
from vldeformer.errors import InputError
from vldeformer.stages.sections import read_dataset


def fetch(settings: Path, out: Path) -> None:
    """Write ``scenes.jsonl``."""
    dataset = read_dataset(settings)
    if not isinstance(dataset, ScenesSource):
        raise InputError(f"{dataset.name}: its raw files are not made here; put them into {dataset.raw_dir}")
    write_scenes(out, dataset.world)
