"""The command line itself: its help, what it parses and what it refuses."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import COMMAND_LINES
from command_refusals import refusal

from vldeformer import cli
from vldeformer.cli import COMMANDS, build_app, main

HEAVY = ("torch", "numpy", "pandas", "transformers", "pyarrow", "sklearn", "PIL", "matplotlib", "requests")


def loaded_by(code):
    """The modules that a new Python has loaded after ``code``."""
    code = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr.split()


def test_help_of_all_commands_loads_no_step():
    loaded = loaded_by("import vldeformer.cli as cli; assert cli.main(['--help']) == cli.main([]) == 0")
    assert not {*HEAVY, "pydantic"} & {*loaded} and not [name for name in loaded if name.startswith("vldeformer.steps")]


def test_help_of_a_command_loads_nothing_heavy():
    calls = "; ".join(f"assert cli.main(['{name}', '--help']) == 0" for name in COMMANDS)
    assert not {*HEAVY} & {*loaded_by(f"import vldeformer.cli as cli; {calls}")}


@pytest.mark.parametrize("columns", [80, 120])
def test_help_is_plain_text_that_fits_the_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in ([], *([name, "--help"] for name in COMMANDS)):
        assert main(arguments) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("Usage: vldeformer") and max(map(len, lines)) <= columns
        assert not {*"\x1b│╭─"} & {*"".join(lines)} and "``" not in "".join(lines), arguments


def test_the_list_of_commands_says_what_each_step_says_of_itself():
    for name, command in COMMANDS.items():
        step = name.replace("-", "_")
        if step != "fetch":
            summary = getattr(importlib.import_module(f"vldeformer.steps.{step}"), step).__doc__.split("\n\n")[0]
            assert " ".join(summary.split()) == command.summary, name
    steps = {path.stem for path in Path(cli.__file__).with_name("steps").glob("*.py")}
    shared = {"__init__", "arguments", "error_context", "progress", "settings_file"}
    assert steps - shared == {name.replace("-", "_") for name in COMMANDS}, "one file a command"


@pytest.mark.parametrize("line", COMMAND_LINES, ids=" ".join)
def test_every_command_line_parses(line):
    build_app().parse_args(line, exit_on_error=False, print_error=False)


def test_command_lines_use_every_command_and_every_option():
    app = build_app()
    for name in COMMANDS:
        for path in [[name, below] for below in app[name] if not below.startswith("-")] or [[name]]:
            lines = [line for line in COMMAND_LINES if line[: len(path)] == path]
            command = app.parse_args([*path, "--help"])[0] and app[path[0]]
            command = command[path[1]] if path[1:] else command
            for argument in command.assemble_argument_collection():
                names = [one for one in argument.names if one.startswith("-")]
                assert any({*names} & {*line} for line in lines) or not names, (path, names)
            assert lines, path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trian"], "unknown command 'trian'; did you mean \"train\"? See `vldeformer --help`"),
        (["fetch", "coc"], "unknown command 'coc'; did you mean \"coco\"? See `vldeformer fetch --help`"),
        (["train"], "--settings is missing; see `vldeformer train --help`"),
        (["gather", "--out", "x"], "SHARD... is missing; see `vldeformer gather --help`"),
        (
            ["search", "i", "t", "--forma", "table"],
            "unknown option --forma; did you mean --format? See `vldeformer search --help`",
        ),
        (["search", "i", "t", "--no-json"], "unknown option --no-json; did you mean --json? See `vldeformer search --help`"),
        (["search", "i", "t", "-k", "two"], "-k: expected a whole number, got 'two'; see `vldeformer search --help`"),
        (["search", "i", "t", "-k"], "-k: expected a value, got none; see `vldeformer search --help`"),
        (["search", "i", "t", "u"], "unexpected argument 'u'; see `vldeformer search --help`"),
        (["search", "i"], "expected exactly one of TEXT, --image, --queries, got none"),
        (["search", "i", "t", "--image", "x"], "expected exactly one of TEXT, --image, --queries, got TEXT and --image"),
        (["publish", "m"], "expected exactly one of --out, --hub, got none"),
        (
            ["search", "i", "t", "--format", "tabel"],
            "--format: expected one of table, jsonl, sheet, got 'tabel'; did you mean \"table\"? See `vldeformer search --help`",
        ),
        (
            ["claims", "--out", "o", "--results"],
            "--results: expected at least one value, got none; see `vldeformer claims --help`",
        ),
        (
            ["ablations", "--settings", "s", "--speed", "s", "--out", "o", "--results", "r", "--pair-times", "ab"],
            "--pair-times: expected NAME=PATH, got 'ab'; see `vldeformer ablations --help`",
        ),
    ],
)
def test_a_wrong_command_line_is_one_plain_line(capsys, arguments, expected):
    assert refusal(capsys, *arguments) == f"vldeformer: {expected}"


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "[bold]x[/bold]", "a\nb", "\udc9b", "{0}%s"])
def test_hostile_text_is_printed_harmlessly(capsys, hostile):
    for arguments in (
        [hostile],
        ["search", hostile, "--queries", hostile],
        ["search", "i", "t", hostile],
        ["embed", f"--{hostile}"],
    ):
        line = refusal(capsys, *arguments)
        assert line.isprintable()
    assert hostile in refusal(capsys, "search", "i", "t", hostile) or hostile not in ("[bold]x[/bold]", "{0}%s")
