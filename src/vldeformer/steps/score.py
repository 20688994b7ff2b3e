"""Step `score`."""

VERSION = 1
