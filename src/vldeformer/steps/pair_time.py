"""Step `pair-time`."""

VERSION = 1
