"""Step `compositional`."""

VERSION = 1
