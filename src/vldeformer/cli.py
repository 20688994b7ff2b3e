"""``vldeformer <command>``: every step of the workflow as an ordinary program that runs without Snakemake.

Wrong input ends with one line on standard error and exit code 2. Stages are imported when they run: planning and
``--help`` need no torch.
"""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from vldeformer.commands.arguments import Run
from vldeformer.commands.compositional import add_compositional
from vldeformer.commands.doctor import add_doctor
from vldeformer.commands.fetching import add_fetching
from vldeformer.commands.importing import add_importing
from vldeformer.commands.journals import add_journals
from vldeformer.commands.judging import add_judging
from vldeformer.commands.page import add_page
from vldeformer.commands.pipeline import add_pipeline
from vldeformer.commands.provenance import add_provenance
from vldeformer.commands.reporting import add_reporting
from vldeformer.commands.searching import add_searching
from vldeformer.commands.serving import add_serving
from vldeformer.commands.weights import add_weights
from vldeformer.errors import InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parsed = build_parser().parse_args(arguments)
    run: Run = parsed.run
    try:
        run(parsed)
    except InputError as error:
        return _fail(str(error))
    except BrokenPipeError:  # who reads our output has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains of it when it ends
        return 1
    except OSError as error:
        return _fail(_what_the_system_says(error, parsed.out))
    except KeyboardInterrupt:
        return _fail("interrupted; run the same command again to continue") + 128
    return 0


def _what_the_system_says(error: OSError, out: Path | None) -> str:
    if error.filename:  # a missing file, a folder without permission
        return f"{error.filename}: {error.strerror}"
    if out is None:
        return error.strerror or str(error)
    # The system does not say which file a full disk cut short, NumPy not even the number of the error.
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT) or "requested and" in str(error):
        return f"{out}: not written whole ({error.strerror or error}); is the disk full?"
    return f"{out}: not made: {error.strerror or error}"


def _fail(message: str) -> int:
    print(f"vldeformer: {' '.join(message.split())}", file=sys.stderr)
    return 2


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(prog="vldeformer", description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_fetching(commands)
    add_importing(commands)
    add_weights(commands)
    add_pipeline(commands)
    add_judging(commands)
    add_journals(commands)
    add_compositional(commands)
    add_reporting(commands)
    add_provenance(commands)
    add_doctor(commands)
    add_page(commands)
    add_searching(commands)
    add_serving(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
