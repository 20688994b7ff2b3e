"""Step `score-oracle`."""

VERSION = 1
