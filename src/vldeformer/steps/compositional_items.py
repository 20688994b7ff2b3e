"""Step `compositional-items`: captions of the built-in world and false ones, in SugarCrepe's layout."""

import sys
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFolder, RawFolder, SettingsFile, SplitName

VERSION = 1


def compositional_items(
    *,
    settings: SettingsFile,
    raw_dir: Annotated[RawFolder, Parameter(help="folder of scenes.jsonl")],
    split: Annotated[SplitName, Parameter(help="split of the scenes")] = "test",
    out: OutFolder,
) -> None:
    """Make true and false captions of `scenes` in SugarCrepe's format."""
    import time

    from vldeformer.artifact import RECORD, check_replaceable, whole_folder, write_json
    from vldeformer.data.sugarcrepe import SUBSETS, write_items
    from vldeformer.errors import InputError
    from vldeformer.provenance import provenance
    from vldeformer.scenes.compositional_items import scene_items
    from vldeformer.scenes.records import read_scenes
    from vldeformer.scenes.world_settings import CompositionalSettings
    from vldeformer.steps.settings_file import read_section

    started = time.monotonic()
    check_replaceable(out)
    section = read_section(settings, "compositional", CompositionalSettings, VERSION)
    raw = raw_dir / "scenes.jsonl"
    scenes = [scene for scene in read_scenes(raw) if scene.split == split]
    if not scenes:
        raise InputError(f"{raw}: no scene in split {split}; name another with --split")
    with whole_folder(out) as folder:
        items = scene_items(scenes, section)
        write_items(folder, items)
        described = {"compositional": section.model_dump(mode="json"), "split": split}
        write_json(folder / RECORD, provenance(described, {"raw": raw}, started))
    missing = [subset for subset in SUBSETS if subset not in {item.subset for item in items}]
    if missing:
        print(f"{len(scenes)} scenes are too few for {', '.join(missing)}: no item there", file=sys.stderr)
