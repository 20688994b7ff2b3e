"""A signal at any moment ends a command in one line, with the exit code of the signal."""

import os
import signal
import subprocess
import sys
import time

import pytest

from vldeformer import cli
from vldeformer.stopping import Stopped, stoppable

WAITS = """
import sys, time, vldeformer.cli as cli, vldeformer.steps.search as step
class Late:
    def __del__(self):
        print("here", flush=True); time.sleep(60)
def search(index, text, /):
    {body}
step.search = search
sys.exit(cli.main())
"""
BODIES = {
    "in a step": "print('here', flush=True); time.sleep(60)",
    "in a destructor": "late = Late(); del late",
    "where a library makes another error of it": """
    try:
        print('here', flush=True); time.sleep(60)
    except BaseException:
        raise ImportError('half a module')""",
}


@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
@pytest.mark.parametrize("body", BODIES)
def test_a_signal_ends_a_command_in_one_line(number, word, body):
    code = WAITS.format(body=BODIES[body])
    started = subprocess.Popen(
        [sys.executable, "-c", code, "search", "INDEX", "a"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert started.stdout.readline() == "here\n"
    started.send_signal(number)
    _, error = started.communicate(timeout=30)
    assert (started.returncode, error) == (128 + number, f"vldeformer: {word}; run the same command again to continue\n")


@pytest.mark.slow
def test_a_signal_while_arguments_are_read_ends_in_one_line():
    """From the first line of `main` on; before it there are only imports of the standard library."""
    code = "import sys, vldeformer.cli as cli; print('here', flush=True); sys.exit(cli.main())"
    ends = set()
    for place in range(12):
        started = subprocess.Popen(
            [sys.executable, "-c", code, "train", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert started.stdout.readline() == "here\n"
        time.sleep(0.01 + place * 0.04)
        started.send_signal(signal.SIGTERM)
        _, error = started.communicate(timeout=30)
        ends.add((started.returncode, error))
    assert ends <= {(143, "vldeformer: terminated; run the same command again to continue\n"), (0, "")} and len(ends) >= 1


def test_handlers_are_those_from_before_when_a_command_was_called_as_a_function():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped), stoppable(process_ends=False) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert stop.code == 143 and signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError("Unable to allocate 7.45 GiB for an array"), "out of memory (Unable to allocate 7.45 GiB for an array)"),
        (RuntimeError("can't start new thread"), "the system starts no more threads"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "out of memory (DefaultCPUAllocator"),
    ],
)
def test_a_lack_of_memory_is_one_line(monkeypatch, capsys, error, expected):
    def search(index, text, /):
        raise error

    monkeypatch.setattr("vldeformer.steps.search.search", search)
    assert cli.main(["search", "INDEX", "a"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"vldeformer: {expected}") and said.count("\n") == 1


def test_another_error_of_the_program_is_not_hidden(monkeypatch):
    def search(index, text, /):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("vldeformer.steps.search.search", search)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        cli.main(["search", "INDEX", "a"])
