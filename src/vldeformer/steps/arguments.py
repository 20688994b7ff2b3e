"""How a command of the line is declared: its name, its paths, the function that runs it."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Run = Callable[[argparse.Namespace], None]

SETTINGS = "the stage's settings file (JSON of its sections)"
ANY_MODEL = "model folder of this project, published checkpoint, or hub id"
STORE = "region store or pixel store"


def add_command(commands: "Commands", name: str, run: Run, summary: str) -> argparse.ArgumentParser:
    """A new command that calls ``run`` with what was given."""
    added = commands.add_parser(name, help=summary, description=summary)
    added.set_defaults(run=run)
    return added


def add_paths(to: argparse.ArgumentParser, **helps: str) -> None:
    """Options ``--name PATH`` that must be given, in the order of ``helps``."""
    for name, text in helps.items():
        to.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, metavar="PATH", help=text)


def named_paths(items: list[str]) -> dict[str, Path]:
    """The arguments NAME=PATH by name."""
    return {name: Path(path) for name, path in (item.partition("=")[::2] for item in items)}
