"""Step `embed`."""

VERSION = 1
