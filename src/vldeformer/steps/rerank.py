"""Step `rerank`."""

VERSION = 1
