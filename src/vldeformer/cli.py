"""``vldeformer <command>``: every step of the workflow as an ordinary program that runs without Snakemake.

Wrong input ends with one line on standard error and exit code 2. Stages are imported when they run: planning and
``--help`` need no torch.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from vldeformer.errors import InputError

Run = Callable[[argparse.Namespace], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parsed = build_parser().parse_args(arguments)
    run: Run = parsed.run
    try:
        run(parsed)
    except InputError as error:
        return _fail(str(error))
    except OSError as error:
        # A missing file, a folder without permission; the system does not say which file a full disk cut short.
        return _fail(f"{error.filename or parsed.out}: {error.strerror or f'not written whole ({error}); is the disk full?'}")
    except KeyboardInterrupt:
        return _fail("interrupted; run the same command again to continue") + 128
    return 0


def _fail(message: str) -> int:
    print(f"vldeformer: {' '.join(message.split())}", file=sys.stderr)
    return 2


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog="vldeformer", description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Run, summary: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary)
        added.set_defaults(run=run)
        return added

    def paths(to: argparse.ArgumentParser, **helps: str) -> None:
        for name, text in helps.items():
            to.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, metavar="PATH", help=text)

    settings = "the stage's settings file (JSON of its sections)"
    visual = "region store or pixel store"

    paths(command("fetch", _fetch, "make the raw files of the built-in world"), settings=settings, out="scenes.jsonl to write")
    paths(
        command("prepare", _prepare, "raw files → manifest and pixels"),
        settings=settings, raw_dir="folder of the raw files", out="folder to write",
    )  # fmt: skip
    paths(
        command("features", _features, "pixels → regions, features and tags"),
        settings=settings, raw_dir="folder of scenes.jsonl", prepared="folder of `prepare`", out="folder to write",
    )  # fmt: skip
    added = command("vocabulary", _vocabulary, "captions and tags → word pieces")
    paths(added, settings=settings, manifest="manifest.json", out="tokenizer.json to write")
    added.add_argument("--features", type=Path, metavar="PATH", help="folder of `features`, whose tag words are learned too")
    paths(
        command("pretrain", _pretrain, "pre-train the backbone: masked words + matching; continues a killed run"),
        settings=settings, manifest="manifest.json", visual=visual, tokenizer="tokenizer.json", out="folder to write",
    )  # fmt: skip
    paths(
        command("negatives", _negatives, "compose bi-modal hard negatives of the training images"),
        settings=settings, manifest="manifest.json", visual=visual, out="folder to write",
    )  # fmt: skip
    added = command("train", _train, "train a joint matcher or a decomposed encoder; continues a killed run")
    paths(added, settings=settings, manifest="manifest.json", visual=visual, tokenizer="tokenizer.json", out="folder to write")
    added.add_argument("--start", type=Path, metavar="PATH", help="model folder of `pretrain` (train.start: pretrained)")
    added.add_argument("--negatives", type=Path, metavar="PATH", help="folder of `negatives` (train.hard_negatives not none)")
    added = command("embed", _embed, "vectors of a split's images and captions by a decomposed model")
    paths(added, settings=settings, model="model folder", manifest="manifest.json", visual=visual, out="folder to write")
    added.add_argument("--split", default="test", help="split of the manifest (default: test)")
    added = command("score", _score, "joint scores of all pairs of a split's first images")
    paths(added, settings=settings, model="model folder", manifest="manifest.json", visual=visual, out="folder to write")
    added.add_argument("--split", default="test", help="split of the manifest (default: test)")
    added.add_argument("--all", action="store_true", help="all images of the split, not only the first evaluate.joint_images")
    added = command("score-oracle", _score_oracle, "scores of the oracle that reads the scenes themselves")
    paths(added, raw_dir="folder of scenes.jsonl", manifest="manifest.json", out="folder to write")
    added.add_argument("--split", default="test", help="split of the manifest (default: test)")
    _add_evaluate(command("evaluate", _evaluate, "recalls with intervals of anyone's vectors or scores"))
    paths(
        command("speed", _speed, "time joint and decomposed retrieval on this machine (ms, s)"),
        settings=settings, joint="joint model folder", dual="decomposed model folder", manifest="manifest.json", visual=visual,
        out="speed.json to write",
    )  # fmt: skip
    added = command("report", _report, "results → metrics.json, tables and figures")
    paths(added, settings=settings, speed="speed.json", out="folder to write")
    added.add_argument("--results", type=Path, nargs="+", required=True, metavar="PATH", help="RESULT.json files of one dataset")
    added.add_argument("--journals", nargs="*", default=[], metavar="NAME=PATH", help="training journals by experiment")
    return parser


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


def _fetch(given: argparse.Namespace) -> None:
    from vldeformer.stages.fetch import fetch

    fetch(given.settings, given.out)


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

    pretrain(given.settings, given.manifest, given.visual, given.tokenizer, given.out)


def _negatives(given: argparse.Namespace) -> None:
    from vldeformer.stages.negatives import negatives

    negatives(given.settings, given.manifest, given.visual, given.out)


def _train(given: argparse.Namespace) -> None:
    from vldeformer.stages.train import train

    train(given.settings, given.manifest, given.visual, given.tokenizer, given.start, given.negatives, given.out)


def _embed(given: argparse.Namespace) -> None:
    from vldeformer.stages.score import embed

    embed(given.settings, given.model, given.manifest, given.visual, given.split, given.out)


def _score(given: argparse.Namespace) -> None:
    from vldeformer.stages.score import score

    score(given.settings, given.model, given.manifest, given.visual, given.split, given.all, given.out)


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


def _speed(given: argparse.Namespace) -> None:
    from vldeformer.stages.speed import speed

    speed(given.settings, given.joint, given.dual, given.manifest, given.visual, given.out)


def _report(given: argparse.Namespace) -> None:
    from vldeformer.stages.report import report

    journals = dict(item.partition("=")[::2] for item in given.journals)
    report(given.settings, given.results, given.speed, {name: Path(path) for name, path in journals.items()}, given.out)


if __name__ == "__main__":
    sys.exit(main())
