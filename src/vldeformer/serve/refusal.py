"""The refusal of a request."""


class RefusedError(Exception):
    """A request that is not answered: an HTTP status and one line, which names no path of this machine.

    ``retry_after``: seconds until asking again may help.
    """

    def __init__(self, status: int, line: str, retry_after: int | None = None) -> None:
        super().__init__(line)
        self.status, self.line, self.retry_after = status, line, retry_after
