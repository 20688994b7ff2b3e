"""The steps of the workflow that make data and models, and its report."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import SETTINGS, STORE, add_command, add_paths

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


LEARNED_FROM = {"settings": SETTINGS, "manifest": "manifest.json", "features": STORE, "tokenizer": "tokenizer.json"}


def add_pipeline(commands: "Commands") -> None:
    """prepare, features, vocabulary, pretrain, negatives, train, speed, report."""
    added = add_command(commands, "prepare", _prepare, "raw files → manifest and pixels")
    add_paths(added, settings=SETTINGS, raw_dir="folder of the raw files", out="folder to write")
    added = add_command(commands, "features", _features, "pixels → regions, features and tags")
    add_paths(added, settings=SETTINGS, raw_dir="folder of scenes.jsonl", prepared="folder of `prepare`", out="folder to write")
    added = add_command(commands, "vocabulary", _vocabulary, "captions and tags → word pieces")
    add_paths(added, settings=SETTINGS, manifest="manifest.json", out="tokenizer.json to write")
    added.add_argument("--features", type=Path, metavar="PATH", help="region store whose tag words are learned too")
    added = add_command(commands, "pretrain", _pretrain, "pre-train the backbone: masked words, matching; continues a killed run")
    add_paths(added, **LEARNED_FROM, out="folder to write")
    added = add_command(commands, "negatives", _negatives, "compose bi-modal hard negatives of the training images")
    add_paths(added, settings=SETTINGS, manifest="manifest.json", features=STORE, out="folder to write")
    added = add_command(commands, "train", _train, "train a joint matcher or a decomposed encoder; continues a killed run")
    add_paths(added, **LEARNED_FROM, out="folder to write")
    added.add_argument("--start", type=Path, metavar="PATH", help="model folder of `pretrain` (train.start: pretrained)")
    added.add_argument("--negatives", type=Path, metavar="PATH", help="folder of `negatives` (train.hard_negatives not none)")
    added = add_command(commands, "speed", _speed, "time joint and decomposed retrieval on this machine (ms, s)")
    add_paths(added, settings=SETTINGS, joint="joint model folder", dual="decomposed model folder")
    add_paths(added, manifest="manifest.json", features=STORE, out="speed.json to write")
    added = add_command(commands, "report", _report, "results → metrics.json, tables and figures")
    add_paths(added, settings=SETTINGS, speed="speed.json", out="folder to write")
    added.add_argument("--results", type=Path, nargs="+", required=True, metavar="PATH", help="RESULT.json files of one dataset")
    added.add_argument("--published", type=Path, metavar="PATH", help="published.csv: recalls of other models beside ours")
    added.add_argument("--journals", nargs="*", default=[], metavar="NAME=PATH", help="training journals by experiment")


def _prepare(given: argparse.Namespace) -> None:
    from vldeformer.stages.prepare import prepare

    prepare(given.settings, given.raw_dir, given.out)


def _features(given: argparse.Namespace) -> None:
    from vldeformer.stages.features import features

    features(given.settings, given.raw_dir, given.prepared, given.out)


def _vocabulary(given: argparse.Namespace) -> None:
    from vldeformer.stages.vocabulary import vocabulary

    vocabulary(given.settings, given.manifest, given.features, given.out)


def _pretrain(given: argparse.Namespace) -> None:
    from vldeformer.stages.pretrain import pretrain

    pretrain(given.settings, given.manifest, given.features, given.tokenizer, given.out)


def _negatives(given: argparse.Namespace) -> None:
    from vldeformer.stages.negatives import negatives

    negatives(given.settings, given.manifest, given.features, given.out)


def _train(given: argparse.Namespace) -> None:
    from vldeformer.stages.train import train

    train(given.settings, given.manifest, given.features, given.tokenizer, given.start, given.negatives, given.out)


def _speed(given: argparse.Namespace) -> None:
    from vldeformer.stages.speed import speed

    speed(given.settings, given.joint, given.dual, given.manifest, given.features, given.out)


def _report(given: argparse.Namespace) -> None:
    from vldeformer.stages.report import report

    journals = dict(item.partition("=")[::2] for item in given.journals)
    paths = {name: Path(path) for name, path in journals.items()}
    report(given.settings, given.results, given.speed, paths, given.published, given.out)
