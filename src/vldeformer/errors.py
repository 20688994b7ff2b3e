"""The one exception a user is meant to read: the command line prints it as one line and exits with 2."""


class InputError(ValueError):
    """Something the user gave is wrong. The message says what was expected, what came, and what to do."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a notebook: the one line, as on the command line, and no traceback."""
        return [f"{type(self).__name__}: {self}"]
