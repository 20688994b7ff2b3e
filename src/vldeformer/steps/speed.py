"""Step `speed`."""

VERSION = 1
