"""``vldeformer COMMAND``: every step of the workflow as an ordinary program that runs without Snakemake.

The commands are the functions of ``steps/``; their signatures are the command line. A step is imported when it is named, so
that ``--help`` is quick. Wrong input ends with one line on standard error and exit code 2.

Nothing but the standard library is imported here before signals are handled.
"""

import errno
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from vldeformer.errors import InputError
from vldeformer.stopping import Stop, stoppable

if TYPE_CHECKING:
    from cyclopts import App


class Command(NamedTuple):
    """A command: its group in ``--help`` and the first sentence of its help, which a test compares with the step's own."""

    group: str
    summary: str


COMMANDS = {
    "fetch": Command("data", "Download or make the raw files of a data set."),
    "prepare": Command("data", "Convert raw files into a manifest and pixels."),
    "features": Command("data", "Extract regions, features and tags from pixels."),
    "import-features": Command("data", "Import VinVL features and tags into a region store; continues an interrupted run."),
    "import-captions": Command("data", "Import VinVL captions into a manifest: the first five of each image."),
    "join-features": Command("data", "Join region stores into one with ids NAME:ID; features are not copied."),
    "vocabulary": Command("data", "Learn word pieces from captions and tags."),
    "import-vocabulary": Command("data", "Copy the word pieces of a model folder, with a record."),
    "compositional-items": Command("data", "Make true and false captions of `scenes` in SugarCrepe's format."),
    "import-weights": Command("train", "Convert an Oscar or VinVL checkpoint, or a hub model, into a model folder."),
    "pretrain": Command("train", "Pre-train the backbone with masked words and matching; continues an interrupted run."),
    "negatives": Command("train", "Compose bi-modal hard negatives of the training images."),
    "train": Command("train", "Train a joint matcher or a decomposed encoder; continues an interrupted run."),
    "journal": Command("train", "Convert a training journal into files for TensorBoard or DVCLive."),
    "embed": Command("evaluate", "Encode the images and captions of a split with a decomposed model."),
    "gather": Command("evaluate", "Join all N folders of `embed --shard`, in any order."),
    "score": Command("evaluate", "Score all pairs of the first images of a split with a joint model."),
    "score-oracle": Command("evaluate", "Score all images of a split with the oracle, which reads the scenes themselves."),
    "score-lexical": Command("evaluate", "Score all pairs of a split by the words that tags and captions share."),
    "rerank": Command("evaluate", "Re-rank a decomposed model's best with a joint model; recall and cost."),
    "evaluate": Command("evaluate", "Compute recalls with intervals from the vectors or scores of any model."),
    "compositional": Command("evaluate", "Test how often a model prefers a true caption to a false one."),
    "speed": Command("evaluate", "Measure the time of joint and decomposed retrieval on this machine (ms, s)."),
    "pair-time": Command("evaluate", "Measure the time of a joint model's layers per item and per pair (ms), test split."),
    "record": Command("report", "Write the record of an experiment: settings, ranks, numbers, code and machine."),
    "report": Command("report", "Write metrics.json, tables and figures from results."),
    "ablations": Command("report", "Write a table and a curve for each choice of the method."),
    "claims": Command("report", "Write a page that judges each of the paper's claims."),
    "page": Command("report", "Write results, scores and pictures as one self-contained HTML page."),
    "index": Command("search", "Make a search index of photographs, or update it."),
    "search": Command("search", "Find the images of an index that are nearest to a text or a photograph."),
    "index-remove": Command("search", "Remove images from an index."),
    "index-export": Command("search", "Export ids, paths and vectors of an index to Parquet or LanceDB."),
    "serve": Command("search", "Serve a search page for an index, and its HTTP API."),
    "doctor": Command("project", "Check the project in this folder for common problems."),
    "verify": Command("project", "Compare stored files with what was written."),
    "provenance": Command("project", "Show what an artifact, result, table or cell was made from, down to the raw data."),
    "publish": Command("project", "Write a decomposed model with a model card into a folder or a Hugging Face repository."),
}
"""``NAME`` is the function of that name in ``steps/``, ``pair-time`` is ``steps.pair_time:pair_time``."""

HELP_FLAGS = ("--help", "-h")
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "Cannot allocate memory")
CHANGED = {"index-remove": "index", "publish": "hub"}
"""What a command without ``--out`` writes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: words of the command line; None: those of this process.

    Returns:
        The exit code.

    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if arguments is None:
        _speak_plainly()
    stop = Stop()
    try:
        with stoppable(process_ends=arguments is None) as stop:
            return _run(words)
    except KeyboardInterrupt:
        return _fail(stop.line, stop.code)
    except BaseException:
        if stop.number is None:
            raise
        return _fail(stop.line, stop.code)  # a library made another error of it


def _speak_plainly() -> None:
    """What the terminal cannot show is replaced, and a warning of a library is one line without the place in its code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    warnings.formatwarning = lambda message, *_, **__: f"vldeformer: {' '.join(str(message).split())}\n"


def _run(words: list[str]) -> int:
    from cyclopts import CycloptsError

    from vldeformer.command_text import in_one_line

    written: Any = None
    try:
        run, given, _ = build_app(summaries=words[:1] in ([], *([flag] for flag in HELP_FLAGS))).parse_args(
            words, exit_on_error=False, print_error=False
        )
        written = given.arguments.get("out") or given.arguments.get(CHANGED.get(words[0], "") if words else "")
        run(*given.args, **given.kwargs)
    except CycloptsError as error:
        return _fail(in_one_line(error))
    except InputError as error:
        return _fail(str(error))
    except BrokenPipeError:  # who reads our output has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains of it when it ends
        return 1
    except OSError as error:
        return _fail(_system_error(error, written))
    except (MemoryError, RuntimeError) as error:
        if (lack := _lack_of_memory(error)) is None:
            raise
        return _fail(lack)
    return 0


def build_app(summaries: bool = False) -> "App":
    """The application of all commands.

    Args:
        summaries: for the list of all commands show the table's sentences; else each command has the docstring of its step.

    """
    from cyclopts import App, Group, Parameter

    from vldeformer.command_text import CommandHelp

    app = App(
        name="vldeformer",
        help="Run a step of the workflow. `COMMAND --help` shows its options.",
        help_flags=HELP_FLAGS,
        version_flags=(),
        help_format="plaintext",
        help_formatter=CommandHelp(),
        group_arguments=Group("arguments", sort_key=1),
        group_parameters=Group("options", sort_key=2),
        default_parameter=Parameter(negative=(), show_env_var=False),
        result_action="return_value",
    )
    app["--help"].show = False
    groups = {name: Group(name, sort_key=place) for place, name in enumerate(dict.fromkeys(c.group for c in COMMANDS.values()))}
    for place, (name, command) in enumerate(COMMANDS.items()):
        step = name.replace("-", "_")
        app.command(
            f"vldeformer.steps.{step}:{step}",
            name=name,
            help=command.summary if summaries else None,
            group=groups[command.group],
            sort_key=place,
        )
    return app


def _system_error(error: OSError, written: Any) -> str:
    if error.filename:  # a missing file, a folder without permission
        return f"{error.filename}: {error.strerror}"
    if written is None:
        return error.strerror or str(error)
    # The system does not say which file a full disk cut short, NumPy not even the number of the error.
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT) or "requested and" in str(error):
        return f"{written}: not written whole ({error.strerror or error}); is the disk full?"
    return f"{error.strerror or error}; {written} is not made"


def _lack_of_memory(error: BaseException) -> str | None:
    """What libraries raise without memory for an array, a thread or a process, in one line; None: it is another error."""
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(mark in said for mark in NO_MEMORY):
        return f"out of memory ({said[:200] or 'the system gives no more'}); free some, or use smaller batches or fewer cores"
    if "start new thread" in said:
        return "the system starts no more threads; end other programs, or allow more processes (ulimit -u) or memory"
    if type(error).__name__ in ("TerminatedWorkerError", "BrokenProcessPool"):
        return "a worker process was killed, most likely for lack of memory; free some, or use fewer cores"
    return None


def _fail(message: str, code: int = 2) -> int:
    line = " ".join(message.split())
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
    print(f"vldeformer: {shown}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
