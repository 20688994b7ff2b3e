"""The steps of the workflow that make data and models."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import SETTINGS, STORE, add_command, add_paths

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


LEARNED_FROM = {"settings": SETTINGS, "manifest": "manifest.json", "features": STORE, "tokenizer": "tokenizer.json"}


def add_pipeline(commands: "Commands") -> None:
    """prepare, features, vocabulary, pretrain, negatives, train, speed, pair-time."""
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
    added.add_argument("--embeddings", type=Path, metavar="PATH", help="folder of `embed --split train`, for near partners")
    added = add_command(commands, "train", _train, "train a joint matcher or a decomposed encoder; continues a killed run")
    add_paths(added, **LEARNED_FROM, out="folder to write")
    added.add_argument("--start", type=Path, metavar="PATH", help="model folder of `pretrain` (train.start: pretrained)")
    added.add_argument("--negatives", type=Path, metavar="PATH", help="folder of `negatives` (train.hard_negatives not none)")
    taught = "joint model folder whose scores are read (train.distillation, train.hard_negatives.limit)"
    added.add_argument("--teacher", type=Path, metavar="PATH", help=taught)
    added = add_command(commands, "speed", _speed, "time joint and decomposed retrieval on this machine (ms, s)")
    add_paths(added, settings=SETTINGS, joint="joint model folder", dual="decomposed model folder")
    add_paths(added, manifest="manifest.json", features=STORE, out="speed.json to write")
    added = add_command(commands, "pair-time", _pair_time, "time a joint model's layers, an item and a pair (ms), test split")
    add_paths(added, settings=SETTINGS, model="joint model folder", manifest="manifest.json", features=STORE, out="JSON to write")


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

    negatives(given.settings, given.manifest, given.features, given.embeddings, given.out)


def _train(given: argparse.Namespace) -> None:
    from vldeformer.stages.train import train

    model_and_pairs = (given.tokenizer, given.start, given.negatives)
    train(given.settings, given.manifest, given.features, *model_and_pairs, given.out, given.teacher)


def _pair_time(given: argparse.Namespace) -> None:
    from vldeformer.stages.speed import pair_time

    pair_time(given.settings, given.model, given.manifest, given.features, given.out)


def _speed(given: argparse.Namespace) -> None:
    from vldeformer.stages.speed import speed

    speed(given.settings, given.joint, given.dual, given.manifest, given.features, given.out)
