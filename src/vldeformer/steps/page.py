"""Step `page`."""

VERSION = 1
