"""Step `evaluate`."""

VERSION = 1
