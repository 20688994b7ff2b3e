"""Step `join-features`."""

VERSION = 1
