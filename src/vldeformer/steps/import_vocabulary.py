"""Step `import-vocabulary`: the word pieces of an imported model as a file with its record, like those that are learned here."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import OutFile

VERSION = 1


def import_vocabulary(
    model: Annotated[Path, Parameter(name="MODEL_DIR", help="folder made by `import-weights`")],
    /,
    *,
    out: Annotated[OutFile, Parameter(help="tokenizer.json to write")],
) -> None:
    """Copy the word pieces of a model folder, with a record."""
    import time

    from vldeformer.inputs.tokens import WordPieces
    from vldeformer.provenance import provenance, write_record
    from vldeformer.stored_digests import record_path

    started = time.monotonic()
    tokenizer = model / "tokenizer.json"
    words = WordPieces.load(tokenizer)
    record_path(out).unlink(missing_ok=True)  # that of an older file
    words.save(out)
    write_record(out, provenance({}, {"tokenizer": tokenizer}, started))
