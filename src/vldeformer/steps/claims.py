"""Step `claims`."""

VERSION = 1
