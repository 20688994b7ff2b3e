"""Step `features`."""

VERSION = 1
