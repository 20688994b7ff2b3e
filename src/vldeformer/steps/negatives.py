"""Step `negatives`."""

VERSION = 1
