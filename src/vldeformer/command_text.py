"""The texts of the command line: ``--help`` in two columns that fit the terminal, an error in one line.

Both are plain: cyclopts' own have boxes, colours and several lines.
"""

import re
import textwrap
from typing import TYPE_CHECKING, Any, get_args

from cyclopts import CoercionError, CycloptsError, MissingArgumentError, UnknownOptionError
from cyclopts.exceptions import ConsumeMultipleError, UnknownCommandError, UnusedCliTokensError

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

INDENT = 2
COMMAND_LABEL = 19
"""Characters of the left column in a list of commands, so that groups have one column."""
MOST_LABEL = 26
"""Characters of the left column in a list of options; a longer label gets a line to itself."""
MOST_WIDTH = 120
HIDDEN_DEFAULTS = ("None", "False", "()", "{}")


class CommandHelp:
    """A help formatter of cyclopts."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel") -> None:
        """Print one group of commands or options."""
        if not panel.entries:
            return
        labels = [_label(entry) for entry in panel.entries]
        longest = COMMAND_LABEL if panel.format == "command" else min(max(map(len, labels)), MOST_LABEL)
        left = INDENT + longest + 2
        width = _width(console)
        lines = [f"{panel.title}:"]
        for label, entry in zip(labels, panel.entries, strict=True):
            words = textwrap.wrap(_described(entry), width - left, break_on_hyphens=False) or [""]
            start = f"{'':{INDENT}}{label}"
            if len(start) + 2 > left:
                lines.append(start)
                start = ""
            lines += [f"{start:{left}}{words[0]}".rstrip(), *(f"{'':{left}}{line}" for line in words[1:])]
        _print(console, "\n".join(lines) + "\n")

    def render_usage(self, console: "Console", options: "ConsoleOptions", usage: Any) -> None:
        """Print the usage line."""
        if usage:
            text = _text(usage).strip().removeprefix("Usage:").strip()
            whole = re.sub(r"(-[\w-]+) (?=[A-Z{])", "\\1\N{NO-BREAK SPACE}", text)  # an option and its value stay in one line
            lines = textwrap.fill(f"Usage: {whole}", _width(console), subsequent_indent=" " * 7, break_on_hyphens=False)
            _print(console, lines.replace("\N{NO-BREAK SPACE}", " ") + "\n")

    def render_description(self, console: "Console", options: "ConsoleOptions", description: Any) -> None:
        """Print what the command does, a paragraph at a time."""
        paragraphs = [" ".join(part.split()) for part in _text(description).split("\n\n")]
        _print(console, "\n\n".join(textwrap.fill(one, _width(console), break_on_hyphens=False) for one in paragraphs) + "\n")


def _label(entry: "HelpEntry") -> str:
    names = ", ".join(entry.display_labels)
    if not entry.metavar or entry.positional_label:
        return names
    return f"{names} {'{' + ','.join(entry.choices) + '}' if entry.choices else entry.metavar}"


def _described(entry: "HelpEntry") -> str:
    parts = [_text(entry.description).strip()]
    if entry.default is not None and str(entry.default) not in HIDDEN_DEFAULTS:
        parts.append(f"(default: {entry.default})")
    elif entry.required and entry.all_options:
        parts.append("(required)")
    return " ".join(part for part in parts if part)


def _text(value: Any) -> str:
    """The plain text of what cyclopts makes of a docstring or help text."""
    value = getattr(value, "primary_renderable", value)
    return str(getattr(value, "plain", value) or "").replace("``", "")


def _width(console: "Console") -> int:
    return min(console.width, MOST_WIDTH)


def _print(console: "Console", text: str) -> None:
    console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


def in_one_line(error: CycloptsError) -> str:
    """What was expected, what came, a near match if there is one, and the command that shows the help."""
    line = _problem(error).rstrip(". ")
    near = str(error).partition("Did you mean ")[2].partition("?")[0]
    command = " ".join(["vldeformer", *(error.command_chain or ())])
    return f"{line}; {f'did you mean {near}? See' if near else 'see'} `{command} --help`"


def _problem(error: CycloptsError) -> str:
    if isinstance(error, UnknownCommandError) and error.unused_tokens:
        return f"unknown command {error.unused_tokens[0]!r}"
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"unexpected argument {error.unused_tokens[0]!r}"
    if isinstance(error, UnknownOptionError):
        return f"unknown option {error.token.keyword or error.token.value}"
    argument = error.argument
    if argument is not None and isinstance(error, MissingArgumentError):
        if isinstance(error, ConsumeMultipleError):
            return f"{argument.name}: expected at least one value, got none"
        if error.keyword or argument.tokens:
            return f"{error.keyword or argument.name}: expected a value, got none"
        return f"{argument.name} is missing"
    if argument is not None and isinstance(error, CoercionError) and error.token is not None:
        choices = argument.get_choices()
        kind = "a whole number" if int in (argument.hint, *get_args(argument.hint)) else argument.parameter.metavar
        expected = f"one of {', '.join(choices)}" if choices else str(kind).rstrip(".")
        return f"{argument.name}: expected {expected}, got {error.token.value!r}"
    return str(error)
