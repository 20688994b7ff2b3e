"""Step `pretrain`."""

VERSION = 1
