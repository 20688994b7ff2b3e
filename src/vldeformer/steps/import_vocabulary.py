"""Stage `import-vocabulary`: the word pieces of an imported model, as those that are learned here lie: a file with its record."""

import time
from pathlib import Path

from vldeformer.artifact import record_path, write_json
from vldeformer.inputs.tokens import WordPieces
from vldeformer.stages.provenance import provenance


def import_vocabulary(model: Path, out: Path) -> None:
    """Write ``tokenizer.json``. Raises InputError if there is none in the folder ``model``."""
    started = time.monotonic()
    tokenizer = model / "tokenizer.json"
    WordPieces.load(tokenizer).save(out)
    write_json(record_path(out), provenance({}, {"tokenizer": tokenizer}, started))
