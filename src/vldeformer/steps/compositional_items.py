"""Step `compositional-items`."""

VERSION = 1
