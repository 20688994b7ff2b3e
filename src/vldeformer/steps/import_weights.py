"""Stage `import-weights`: a published checkpoint → a model folder of this project, which needs neither it nor the hub again."""

import time
from pathlib import Path

from vldeformer.artifact import RECORD, whole_folder, write_json
from vldeformer.models.importing import files_of, import_model
from vldeformer.models.settings import Pooling
from vldeformer.models.weights import save_model
from vldeformer.stages.provenance import provenance


def import_weights(checkpoint: str, out: Path, pooling: Pooling | None) -> None:
    """Write encoder.json, model.safetensors, tokenizer.json and the record. Raises InputError as ``import_model`` does."""
    started = time.monotonic()
    model, description, words = import_model(checkpoint, pooling)
    with whole_folder(out) as folder:
        save_model(folder, model, description, words)
        given = {"checkpoint": checkpoint, "pooling": pooling}
        write_json(folder / RECORD, provenance(given, {"checkpoint": files_of(checkpoint)}, started))
