"""Step `ablations`."""

VERSION = 1
