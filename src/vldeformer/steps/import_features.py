"""Step `import-features`."""

VERSION = 1
