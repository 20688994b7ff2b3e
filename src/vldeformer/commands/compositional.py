"""The compositional test: its items, and which of two captions a model prefers."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import ANY_MODEL, SETTINGS, STORE, add_command, add_paths

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_compositional(commands: "Commands") -> None:
    """compositional-items, compositional."""
    summary = "captions of the built-in world beside false ones, in SugarCrepe's layout"
    added = add_command(commands, "compositional-items", _items, summary)
    add_paths(added, settings=SETTINGS, raw_dir="folder of scenes.jsonl", out="folder to write")
    added.add_argument("--split", default="test", help="split of the scenes (default: test)")
    summary = "accuracy in percent of choosing the true of two captions of an image, with intervals and a blind baseline"
    added = add_command(commands, "compositional", _compositional, summary)
    add_paths(added, model=ANY_MODEL, items="folder of `compositional-items`, or of SugarCrepe's published JSON files")
    add_paths(added, manifest="manifest.json; the blind baseline learns from its split `train`", features=STORE)
    added.add_argument("--split", default="test", help="split of the manifest: items of its images are judged (default: test)")
    added.add_argument("--settings", type=Path, metavar="PATH", help=f"{SETTINGS}; default: this machine's CPU, float32")
    added.add_argument("--dataset", default="unnamed", help="name written into the result")
    added.add_argument("--experiment", default="unnamed", help="name written into the result")
    out = "RESULT.json to write; RESULT.items.parquet goes beside it"
    added.add_argument("--out", type=Path, required=True, metavar="PATH", help=out)


def _items(given: argparse.Namespace) -> None:
    from vldeformer.stages.compositional import compositional_items

    compositional_items(given.settings, given.raw_dir, given.split, given.out)


def _compositional(given: argparse.Namespace) -> None:
    from vldeformer.stages.compositional import compositional

    judged = (given.model, given.items, given.manifest, given.features, given.split)
    compositional(given.settings, *judged, given.dataset, given.experiment, given.out)
