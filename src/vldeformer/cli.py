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
    "fetch": Command("data", "Raw files of a data set."),
    "prepare": Command("data", "Raw files → manifest and pixels."),
    "features": Command("data", "Pixels → regions, features and tags."),
    "import-features": Command("data", "VinVL features and tags → region store; continues a killed run."),
    "import-captions": Command("data", "VinVL captions → manifest, the first five of an image."),
    "join-features": Command("data", "Several region stores → one, ids NAME:ID; features are not copied."),
    "vocabulary": Command("data", "Captions and tags → word pieces."),
    "import-vocabulary": Command("data", "Model folder → its word pieces, with a record."),
    "compositional-items": Command("data", "Captions of the built-in world and false ones, in SugarCrepe's layout."),
    "import-weights": Command("train", "Oscar or VinVL checkpoint, or ViLT or VisualBERT of the hub → model folder."),
    "pretrain": Command("train", "Pre-train the backbone: masked words, matching; continues a killed run."),
    "negatives": Command("train", "Compose bi-modal hard negatives of the training images."),
    "train": Command("train", "Train a joint matcher or a decomposed encoder; continues a killed run."),
    "journal": Command("train", "Training journal → files that TensorBoard or DVCLive show."),
    "embed": Command("judge", "Vectors of a split's images and captions by a decomposed model."),
    "gather": Command("judge", "Join the folders of `embed --shard`, all N of them, in any order."),
    "score": Command("judge", "Joint scores of all pairs of a split's first images."),
    "score-oracle": Command("judge", "Scores of the oracle that reads the scenes themselves, of all images of the split."),
    "rerank": Command("judge", "Recall and cost when a joint model orders a decomposed one's best."),
    "evaluate": Command("judge", "Recalls with intervals of anyone's vectors or scores."),
    "compositional": Command("judge", "Accuracy of choosing the true of two captions of an image, with a blind baseline."),
    "speed": Command("judge", "Time joint and decomposed retrieval on this machine (ms, s)."),
    "pair-time": Command("judge", "Time a joint model's layers, an item and a pair (ms), test split."),
    "record": Command("report", "Results of an experiment → its record: settings, ranks, figures, and where they were made."),
    "report": Command("report", "Results → metrics.json, tables and figures."),
    "ablations": Command("report", "Results → tables and curves, one about each choice."),
    "claims": Command("report", "Results of data sets → a page that says which of the paper's claims hold."),
    "page": Command("report", "Results, scores and pictures → one self-contained HTML page."),
    "index": Command("search", "Make a search index of photographs, or add what is new to one."),
    "search": Command("search", "The images of an index nearest to a text or a photograph."),
    "index-remove": Command("search", "Take images out of an index."),
    "index-export": Command("search", "Ids, paths and vectors of an index as Parquet or into LanceDB."),
    "serve": Command("search", "A page to search an index with, and its HTTP API."),
    "doctor": Command("project", "Look for what is commonly wrong in the project in this folder."),
    "verify": Command("project", "Compare stored files with what was written."),
    "provenance": Command("project", "Artifact, result, table or cell → all that made it, down to the raw data."),
    "publish": Command("project", "Decomposed model → folder or repository of the Hugging Face hub, with a model card."),
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
        help="Every step of the workflow as an ordinary program; COMMAND --help shows its options.",
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
