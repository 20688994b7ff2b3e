"""Step `import-weights`."""

VERSION = 1
