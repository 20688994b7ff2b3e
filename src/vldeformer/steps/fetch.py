"""Step `fetch`."""

VERSION = 1
