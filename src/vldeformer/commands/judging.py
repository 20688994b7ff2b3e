"""From a trained model to recalls: vectors, scores, and the measures of anyone's vectors."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vldeformer.commands.arguments import ANY_MODEL, SETTINGS, STORE, add_command, add_paths
from vldeformer.errors import InputError

if TYPE_CHECKING:
    from vldeformer.commands.arguments import Commands
    from vldeformer.retrieval.embeddings import Embeddings, Scores

PROTOCOL = (
    "all (every given image and caption), test, subset, coco-5k, coco-1k-5fold, coco-1k-fixed (with --keys), flickr30k-1k, "
    "flickr8k-1k, eccv-caption, cxc (both by COCO's ids)"
)


def add_judging(commands: "Commands") -> None:
    """embed, gather, score, score-oracle, rerank, evaluate."""
    added = add_command(commands, "embed", _embed, "vectors of a split's images and captions by a decomposed model")
    _add_model(added)
    added.add_argument("--shard", metavar="K/N", help="embed the K-th of N shares only, e.g. 3/8; `gather` joins them")
    added = add_command(commands, "gather", _gather, "join the folders of `embed --shard`, all N of them, in any order")
    added.add_argument("shards", type=Path, nargs="+", metavar="SHARD", help="folder of `embed --shard`")
    add_paths(added, out="folder to write, as `embed` without --shard writes it")
    added = add_command(commands, "score", _score, "joint scores of all pairs of a split's first images")
    _add_model(added)
    added.add_argument("--all", action="store_true", help="all images of the split, not only the first evaluate.joint_images")
    added = add_command(commands, "score-oracle", _score_oracle, "scores of the oracle that reads the scenes themselves")
    add_paths(added, raw_dir="folder of scenes.jsonl", manifest="manifest.json", out="folder to write")
    _add_split(added)
    _add_rerank(add_command(commands, "rerank", _rerank, "recall and cost when a joint model orders a decomposed one's best"))
    _add_evaluate(add_command(commands, "evaluate", _evaluate, "recalls with intervals of anyone's vectors or scores"))


def _add_model(to: argparse.ArgumentParser) -> None:
    add_paths(to, model=ANY_MODEL, manifest="manifest.json", features=STORE, out="folder to write")
    _add_split(to)
    to.add_argument("--settings", type=Path, metavar="PATH", help=f"{SETTINGS}; default: this machine's CPU, float32")


def _add_rerank(to: argparse.ArgumentParser) -> None:
    add_paths(to, settings=SETTINGS, embeddings="folder of `embed` of the same split", joint="joint model folder")
    add_paths(to, manifest="manifest.json", features=STORE, out="folder to write")
    _add_split(to)
    to.add_argument(
        "--all", action="store_true", help="all images with rerank.depth, not the first evaluate.joint_images with every depth"
    )
    to.add_argument("--dataset", default="unnamed", help="name written into the results")
    to.add_argument("--experiment", default="reranked", help="name written into the results")


def _add_split(to: argparse.ArgumentParser) -> None:
    to.add_argument("--split", default="test", help="split of the manifest (default: test)")


def _add_evaluate(to: argparse.ArgumentParser) -> None:
    source = to.add_mutually_exclusive_group(required=True)
    source.add_argument("--embeddings", type=Path, metavar="PATH", help="folder of `embed`")
    source.add_argument("--scores", type=Path, metavar="PATH", help="folder of `score` or `score-oracle`")
    source.add_argument("--images", type=Path, metavar="PATH", help="images.npy: (N, D) floats of unit length")
    to.add_argument("--captions", type=Path, metavar="PATH", help="captions.npy: (M, D) floats of unit length; with --images")
    to.add_argument("--caption-image-index", type=Path, metavar="PATH", help="(M,) row of each caption's image; with --images")
    to.add_argument("--image-ids", type=Path, metavar="PATH", help="JSON list of N ids; with --images, default: row numbers")
    to.add_argument("--caption-ids", type=Path, metavar="PATH", help="JSON list of M ids; with --images, default: row numbers")
    to.add_argument("--protocol", required=True, help=PROTOCOL)
    to.add_argument("--keys", type=Path, metavar="PATH", help="test_img_keys_1k.tsv: the images of coco-1k-fixed, an id a line")
    to.add_argument("--part", metavar="NAME", help="only the images NAME:ID of joined data sets, as ID")
    to.add_argument("--settings", type=Path, metavar="PATH", help="settings file with the section `evaluate`")
    to.add_argument("--dataset", default="unnamed", help="name written into the result")
    to.add_argument("--experiment", default="unnamed", help="name written into the result")
    to.add_argument(
        "--out", type=Path, required=True, metavar="PATH", help="RESULT.json to write; RESULT.ranks.parquet goes beside it"
    )


def _embed(given: argparse.Namespace) -> None:
    from vldeformer.retrieval.shards import Share
    from vldeformer.stages.embed import embed

    share = None if given.shard is None else Share.parse(given.shard)
    embed(given.settings, given.model, given.manifest, given.features, given.split, given.out, share)


def _gather(given: argparse.Namespace) -> None:
    from vldeformer.stages.embed import gather

    gather(given.shards, given.out)


def _score(given: argparse.Namespace) -> None:
    from vldeformer.stages.score import score

    score(given.settings, given.model, given.manifest, given.features, given.split, given.all, given.out)


def _score_oracle(given: argparse.Namespace) -> None:
    from vldeformer.stages.score import score_oracle

    score_oracle(given.raw_dir, given.manifest, given.split, given.out)


def _rerank(given: argparse.Namespace) -> None:
    from vldeformer.stages.rerank import rerank

    named = (given.split, given.all, given.dataset, given.experiment)
    rerank(given.settings, given.embeddings, given.joint, given.manifest, given.features, *named, given.out)


def _evaluate(given: argparse.Namespace) -> None:
    from vldeformer.stages.evaluate import evaluate, part_of

    judged = _judged(given) if given.part is None else part_of(_judged(given), given.part)
    evaluate(given.settings, judged, given.protocol, given.keys, given.dataset, given.experiment, given.out)


def _judged(given: argparse.Namespace) -> "Embeddings | Scores":
    from vldeformer.retrieval.embeddings import Embeddings, Scores
    from vldeformer.stages.evaluate import open_arrays

    beside = (given.captions, given.caption_image_index, given.image_ids, given.caption_ids)
    if given.images is not None:
        if given.captions is None or given.caption_image_index is None:
            raise InputError("--images needs --captions and --caption-image-index beside it")
        return open_arrays(given.images, *beside)
    if any(path is not None for path in beside):
        raise InputError("--captions, --caption-image-index, --image-ids and --caption-ids go with --images")
    return Scores.load(given.scores) if given.embeddings is None else Embeddings.load(given.embeddings)
