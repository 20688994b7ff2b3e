"""Step `report`."""

VERSION = 1
