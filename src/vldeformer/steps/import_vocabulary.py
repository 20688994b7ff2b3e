"""Step `import-vocabulary`."""

VERSION = 1
