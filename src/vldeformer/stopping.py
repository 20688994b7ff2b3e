"""SIGINT and SIGTERM end a command in one line, whenever they come."""

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Stopped(KeyboardInterrupt):
    """A signal came; libraries that look for KeyboardInterrupt end their own work."""


class Stop:
    """The signal that came, if one did."""

    number: int | None = None
    ended: bool = False

    @property
    def code(self) -> int:
        """Exit code of a command that the signal ended."""
        return 128 + (self.number or signal.SIGINT)

    @property
    def line(self) -> str:
        """What is said of it."""
        return f"{SIGNALS[signal.Signals(self.number or signal.SIGINT)]}; run the same command again to continue"

    def handle(self, number: int, _: FrameType | None) -> None:
        """Raise Stopped in the main thread; a second signal ends the process at once, one behind the command does nothing."""
        if self.number is not None:
            os._exit(128 + number)
        self.number = number
        if not self.ended:
            raise Stopped

    def exit_if_swallowed(self, unraisable: Any) -> None:
        """Of what Python can only print: a signal that came in a destructor or a callback ends the process all the same."""
        if isinstance(unraisable.exc_value, Stopped):
            print(f"vldeformer: {self.line}", file=sys.stderr, flush=True)
            os._exit(self.code)
        sys.__unraisablehook__(unraisable)


@contextlib.contextmanager
def stoppable(process_ends: bool) -> Iterator[Stop]:
    """Signals raise Stopped within the block.

    Args:
        process_ends: no signal may break off what Python does after the block; else signals do again what they did.

    Yields:
        What tells whether a signal came.

    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.handle) for number in SIGNALS}
    if process_ends:
        atexit.register(_ignore_signals)  # called last: Python then takes its handlers away
    hook, sys.unraisablehook = sys.unraisablehook, stop.exit_if_swallowed
    try:
        yield stop
    finally:
        stop.ended = True
        if not process_ends:
            sys.unraisablehook = hook
            for number, handler in before.items():
                signal.signal(number, handler)


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
