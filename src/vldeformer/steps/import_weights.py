"""Step `import-weights`: a published checkpoint → a model folder of this project, which needs neither it nor the hub again."""

from typing import Annotated

from cyclopts import Parameter

from vldeformer.models.settings import Pooling
from vldeformer.steps.arguments import OutFolder

VERSION = 1
POOLING = "how states become a vector, as train.pooling; none: mean_all, over the padding too, for Oscar, else mean"


def import_weights(
    checkpoint: Annotated[str, Parameter(name="CHECKPOINT_DIR", help="checkpoint folder, weights file, or hub id")],
    /,
    *,
    pooling: Annotated[Pooling | None, Parameter(help=POOLING)] = None,
    out: Annotated[OutFolder, Parameter(help="model folder to write")],
) -> None:
    """Convert an Oscar or VinVL checkpoint, or a hub model, into a model folder."""
    import time

    from vldeformer.artifact import RECORD, whole_folder, write_json
    from vldeformer.models.importing import files_of, import_model
    from vldeformer.models.weights import save_model
    from vldeformer.provenance import provenance

    started = time.monotonic()
    model, description, words = import_model(checkpoint, pooling)
    with whole_folder(out) as folder:
        save_model(folder, model, description, words)
        given = {"checkpoint": checkpoint, "pooling": pooling}
        write_json(folder / RECORD, provenance(given, {"checkpoint": files_of(checkpoint)}, started))
