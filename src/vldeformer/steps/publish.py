"""Models from outside, and to the outside."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from vldeformer.commands.arguments import ANY_MODEL, add_command
from vldeformer.errors import InputError
from vldeformer.models.settings import Pooling

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_weights(commands: "Commands") -> None:
    """import-weights, import-vocabulary, publish."""
    summary = "Oscar or VinVL checkpoint, or ViLT or VisualBERT of the hub → model folder"
    added = add_command(commands, "import-weights", _import_weights, summary)
    added.add_argument("checkpoint", metavar="CHECKPOINT_DIR", help="checkpoint folder, its file of weights, or a hub id")
    added.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="model folder to write")
    added.add_argument(
        "--pooling",
        choices=get_args(Pooling),
        help="how states become a vector, as train.pooling (default: mean_all, over the padding too, for Oscar; else mean)",
    )
    added = add_command(commands, "import-vocabulary", _import_vocabulary, "model folder → its word pieces, with a record")
    added.add_argument("model", type=Path, metavar="MODEL_DIR", help="folder of `import-weights`")
    added.add_argument("--out", type=Path, required=True, metavar="PATH", help="tokenizer.json to write")
    summary = "decomposed model → folder or repository of the Hugging Face hub, with a model card"
    added = add_command(commands, "publish", _publish, summary)
    added.add_argument("model", metavar="MODEL", help=ANY_MODEL)
    place = added.add_mutually_exclusive_group(required=True)
    place.add_argument("--out", type=Path, metavar="MODEL_DIR", help="model folder to write")
    place.add_argument("--hub", metavar="USER/NAME", help="repository to write; made if it is not there; needs a token")
    results = "folder results/NAME of the run that measured it, for the card"
    added.add_argument("--results", type=Path, metavar="PATH", help=results)
    added.add_argument("--experiment", metavar="NAME", help="which model of that run it is (default: its main one)")
    added.add_argument("--private", action="store_true", help="with --hub: a new repository is private")


def _publish(given: argparse.Namespace) -> None:
    from vldeformer.encoder import load

    if given.private and given.hub is None:
        raise InputError("--private goes with --hub")
    encoder = load(given.model)
    if given.hub is None:
        encoder.save_pretrained(given.out, given.results, given.experiment)
    else:
        given.out = Path(given.hub)  # what a failure of the system is said of
        print(encoder.push_to_hub(given.hub, given.private, None, given.results, given.experiment))


def _import_weights(given: argparse.Namespace) -> None:
    from vldeformer.stages.import_weights import import_weights

    import_weights(given.checkpoint, given.out, given.pooling)


def _import_vocabulary(given: argparse.Namespace) -> None:
    from vldeformer.stages.import_vocabulary import import_vocabulary

    import_vocabulary(given.model, given.out)
