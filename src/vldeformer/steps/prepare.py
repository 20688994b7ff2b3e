"""Step `prepare`."""

VERSION = 1
