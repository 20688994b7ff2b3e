"""Step `train`."""

VERSION = 1
