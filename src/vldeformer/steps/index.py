"""``vldeformer index``: an index of one's own photographs to search."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from vldeformer.steps.arguments import AnyModel, OutFolder

if TYPE_CHECKING:
    from vldeformer.retrieval.item_vectors import Progress

SHOWN_PROBLEMS = 5


def index(
    *,
    model: AnyModel,
    images: Annotated[Path, Parameter(help="folder of photographs, region store or pixel store")],
    out: Annotated[OutFolder, Parameter(help="index folder")],
    structure: Annotated[
        Literal["auto", "flat", "pq4", "sq8", "hnsw", "ivfpq"] | None,
        Parameter(
            help="structure for nearest neighbours; default: keep the present one, at first auto (by the number of images)"
        ),
    ] = None,
    prune: Annotated[bool, Parameter(help="remove images that no longer exist")] = False,
    device: Annotated[Literal["cpu", "cuda"], Parameter(help="device of the model")] = "cpu",
) -> None:
    """Make a search index of photographs, or update it."""
    import sys

    from vldeformer.errors import InputError
    from vldeformer.search.contact_sheet import plain
    from vldeformer.search.structure import MEANING
    from vldeformer.search.writing import index_images
    from vldeformer.steps.progress import progress_bar

    bars = []

    def started(total: int) -> "Progress":
        bars.append(progress_bar(total=total, unit="image", desc="index"))
        update: Progress = bars[0].update
        return update

    try:
        made = index_images(model, images, out, structure, prune, device, started)
    finally:
        for bar in bars:
            bar.close()
    if _is_joint(Path(model)):
        print(f"{model}: a joint model, decomposed as it is: its vectors were never trained for search", file=sys.stderr)
    changed = f"{made.added:,} added, {made.replaced:,} replaced, {made.removed:,} removed"
    print(f"{out}: {made.images:,} images ({changed}); {made.structure}: {MEANING[made.structure]}")
    if made.gone:
        print(f"{made.gone:,} indexed images are no longer there; --prune takes them out", file=sys.stderr)
    for one in made.skipped[:SHOWN_PROBLEMS]:
        print(f"skipped {plain(one.id)}: {plain(one.problem)}", file=sys.stderr)
    if not made.images and made.skipped:
        first = f"{plain(made.skipped[0].id)}: {plain(made.skipped[0].problem)}"
        raise InputError(f"{images}: none of {len(made.skipped):,} files could be read, first {first}")
    if len(made.skipped) > SHOWN_PROBLEMS:
        print(f"{len(made.skipped):,} skipped in all: {out}/shards/*/skipped.json", file=sys.stderr)


def _is_joint(model: Path) -> bool:
    """Whether it is a model folder of this project that reads captions and images together."""
    from vldeformer.artifact import read_json
    from vldeformer.models.weights import DESCRIPTION

    return (model / DESCRIPTION).is_file() and read_json(model / DESCRIPTION).get("kind") == "joint"
