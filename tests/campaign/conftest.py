"""What the campaign damages: the artifacts of the tiny runs of `tests/steps`."""

from steps.conftest import command, trained

__all__ = ["command", "trained"]
