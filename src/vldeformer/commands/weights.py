"""Models from outside."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from vldeformer.commands.arguments import add_command
from vldeformer.models.settings import Pooling

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_weights(commands: "Commands") -> None:
    """import-weights."""
    summary = "Oscar or VinVL checkpoint, or ViLT or VisualBERT of the hub → model folder"
    added = add_command(commands, "import-weights", _import_weights, summary)
    added.add_argument("checkpoint", metavar="CHECKPOINT_DIR", help="checkpoint folder, its file of weights, or a hub id")
    added.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="model folder to write")
    added.add_argument(
        "--pooling",
        choices=get_args(Pooling),
        help="how states become a vector, as train.pooling (default: mean_all, over the padding too, for Oscar; else mean)",
    )


def _import_weights(given: argparse.Namespace) -> None:
    from vldeformer.stages.import_weights import import_weights

    import_weights(given.checkpoint, given.out, given.pooling)
