"""Step `vocabulary`."""

VERSION = 1
