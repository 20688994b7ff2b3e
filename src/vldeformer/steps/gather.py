"""Step `gather`."""

VERSION = 1
