"""From a trained model to recalls: vectors, scores, and the measures of anyone's vectors."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import SETTINGS, STORE, add_command, add_paths
from vldeformer.errors import InputError

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands


def add_judging(commands: "Commands") -> None:
    """embed, score, score-oracle, evaluate."""
    added = add_command(commands, "embed", _embed, "vectors of a split's images and captions by a decomposed model")
    _add_model(added)
    added = add_command(commands, "score", _score, "joint scores of all pairs of a split's first images")
    _add_model(added)
    added.add_argument("--all", action="store_true", help="all images of the split, not only the first evaluate.joint_images")
    added = add_command(commands, "score-oracle", _score_oracle, "scores of the oracle that reads the scenes themselves")
    add_paths(added, raw_dir="folder of scenes.jsonl", manifest="manifest.json", out="folder to write")
    _add_split(added)
    _add_evaluate(add_command(commands, "evaluate", _evaluate, "recalls with intervals of anyone's vectors or scores"))


def _add_model(to: argparse.ArgumentParser) -> None:
    add_paths(to, model="model folder", manifest="manifest.json", features=STORE, out="folder to write")
    _add_split(to)
    to.add_argument("--settings", type=Path, metavar="PATH", help=f"{SETTINGS}; default: this machine's CPU, float32")


def _add_split(to: argparse.ArgumentParser) -> None:
    to.add_argument("--split", default="test", help="split of the manifest (default: test)")


def _add_evaluate(to: argparse.ArgumentParser) -> None:
    source = to.add_mutually_exclusive_group(required=True)
    source.add_argument("--embeddings", type=Path, metavar="PATH", help="folder of `embed`")
    source.add_argument("--scores", type=Path, metavar="PATH", help="folder of `score` or `score-oracle`")
    source.add_argument("--images", type=Path, metavar="PATH", help="images.npy: (N, D) floats of unit length")
    to.add_argument("--captions", type=Path, metavar="PATH", help="captions.npy: (M, D) floats of unit length; with --images")
    to.add_argument("--caption-image-index", type=Path, metavar="PATH", help="(M,) row of each caption's image; with --images")
    to.add_argument("--protocol", required=True, help="all, test, subset, flickr8k-1k")
    to.add_argument("--settings", type=Path, metavar="PATH", help="settings file with the section `evaluate`")
    to.add_argument("--dataset", default="unnamed", help="name written into the result")
    to.add_argument("--experiment", default="unnamed", help="name written into the result")
    to.add_argument("--out", type=Path, required=True, metavar="PATH", help="RESULT.json to write")


def _embed(given: argparse.Namespace) -> None:
    from vldeformer.stages.score import embed

    embed(given.settings, given.model, given.manifest, given.features, given.split, given.out)


def _score(given: argparse.Namespace) -> None:
    from vldeformer.stages.score import score

    score(given.settings, given.model, given.manifest, given.features, given.split, given.all, given.out)


def _score_oracle(given: argparse.Namespace) -> None:
    from vldeformer.stages.score import score_oracle

    score_oracle(given.raw_dir, given.manifest, given.split, given.out)


def _evaluate(given: argparse.Namespace) -> None:
    from vldeformer.stages.evaluate import evaluate, evaluate_arrays

    if given.images is None:
        evaluate(given.settings, given.embeddings, given.scores, given.protocol, given.dataset, given.experiment, given.out)
        return
    if given.captions is None or given.caption_image_index is None:
        raise InputError("--images needs --captions and --caption-image-index beside it")
    evaluate_arrays(given.images, given.captions, given.caption_image_index, given.protocol, given.out)
