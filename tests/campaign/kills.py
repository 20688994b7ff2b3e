"""Killing a piece of work at each of its file operations: a child of this process ends there, without any clean-up."""

import os
import sys

FILE_EVENTS = ("open", "os.", "shutil.", "tempfile.")


def kill_at(work, place):
    """Run ``work`` in a child that ends at its file operation number ``place``. Returns whether it got that far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(event, _):
            nonlocal seen
            if event.startswith(FILE_EVENTS) and event not in ("os.fork", "os.listdir", "os.scandir"):
                seen += 1
                if seen == place:
                    os._exit(9)

        try:
            sys.addaudithook(count)
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), "the work failed of itself"
    return code == 9


def kills(work, prepare, check):
    """Kill ``work`` at each of its file operations in turn; each time ``prepare`` comes before and ``check`` after.

    Returns the number of kills.
    """
    place = 0
    while True:
        place += 1
        state = prepare(place)
        killed = kill_at(lambda state=state: work(state), place)
        if not killed:
            return place - 1
        check(state)
