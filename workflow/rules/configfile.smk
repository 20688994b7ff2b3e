"""The configfile that the Snakefile names, read before Snakemake reads it: one line that says what is wrong, and exit code 2."""

import sys
from pathlib import Path

from vldeformer.planning.layers import read_layer
from vldeformer.errors import InputError

try:
    # With `--configfile` Snakemake goes without this one.
    if Path("config/default.yaml").exists() or not workflow.overwrite_configfiles:
        _file, _values = read_layer(Path("config/default.yaml"))
        if not _values:
            raise InputError(f"{_file}: expected keys and their values, found none")
except InputError as error:
    print(f"vldeformer: {error}", file=sys.stderr)
    sys.exit(2)
