"""Stage `import-weights`: a published checkpoint → a model folder of this project, which needs neither it nor the hub again."""

from pathlib import Path

from vldeformer.models.importing import import_model
from vldeformer.models.settings import Pooling
from vldeformer.models.weights import save_model


def import_weights(checkpoint: str, out: Path, pooling: Pooling | None) -> None:
    """Write encoder.json, model.safetensors and tokenizer.json. Raises InputError as ``import_model`` does."""
    model, description, words = import_model(checkpoint, pooling)
    save_model(out, model, description, words)
