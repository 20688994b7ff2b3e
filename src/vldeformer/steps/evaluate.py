"""Step `evaluate`: vectors or scores → recalls with intervals, and every query's rank."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vldeformer.steps.arguments import DatasetName, ExperimentName, OutFile, SettingsFile, exactly_one

VERSION = 2
PROTOCOLS = (
    "all (every given image and caption), test, subset, coco-5k, coco-1k-5fold, coco-1k-fixed (with --keys), flickr30k-1k, "
    "flickr8k-1k, eccv-caption, cxc (both by COCO's ids)"
)


def evaluate(
    *,
    embeddings: Annotated[Path | None, Parameter(help="folder made by `embed`")] = None,
    scores: Annotated[Path | None, Parameter(help="folder made by `score` or `score-oracle`")] = None,
    images: Annotated[Path | None, Parameter(help="images.npy: (N, D) floats of unit length")] = None,
    captions: Annotated[Path | None, Parameter(help="captions.npy: (M, D) floats of unit length; with --images")] = None,
    caption_image_index: Annotated[Path | None, Parameter(help="(M,) row of each caption's image; with --images")] = None,
    image_ids: Annotated[Path | None, Parameter(help="JSON list of N ids; with --images; default: row numbers")] = None,
    caption_ids: Annotated[Path | None, Parameter(help="JSON list of M ids; with --images; default: row numbers")] = None,
    protocol: Annotated[str, Parameter(metavar="NAME", help=PROTOCOLS)],
    keys: Annotated[Path | None, Parameter(help="test_img_keys_1k.tsv: images of coco-1k-fixed, one id per line")] = None,
    part: Annotated[
        str | None, Parameter(metavar="NAME", help="use only the images NAME:ID of a joined data set, with the ids ID")
    ] = None,
    settings: Annotated[SettingsFile | None, Parameter(help="settings file with the section `evaluate`")] = None,
    dataset: DatasetName = "unnamed",
    experiment: ExperimentName = "unnamed",
    out: Annotated[OutFile, Parameter(help="RESULT.json to write, and RESULT.ranks.parquet in the same folder")],
) -> None:
    """Compute recalls with intervals from the vectors or scores of any model."""
    from vldeformer.artifact import check_result
    from vldeformer.datasets.image_keys import read_image_keys
    from vldeformer.errors import InputError
    from vldeformer.evaluation.measures import EvaluationSettings
    from vldeformer.evaluation.protocols import DEFAULT_SETTINGS, evaluate_scored
    from vldeformer.retrieval.embeddings import Embeddings, Scores
    from vldeformer.retrieval.open_vectors import open_arrays, part_of
    from vldeformer.steps.settings_file import read_section

    exactly_one(embeddings=embeddings, scores=scores, images=images)
    arrays = (captions, caption_image_index, image_ids, caption_ids)
    judged: Embeddings | Scores
    if images is not None:
        if captions is None or caption_image_index is None:
            raise InputError("--images needs --captions and --caption-image-index too")
        judged = open_arrays(images, captions, caption_image_index, image_ids, caption_ids)
    elif any(path is not None for path in arrays):
        raise InputError("--captions, --caption-image-index, --image-ids and --caption-ids go with --images")
    elif embeddings is not None:
        judged = Embeddings.load(embeddings)
    else:
        assert scores is not None
        judged = Scores.load(scores)
    if part is not None:
        judged = part_of(judged, part)
    check_result(out, "the ranks")
    section = DEFAULT_SETTINGS if settings is None else read_section(settings, "evaluate", EvaluationSettings, VERSION)
    listed = None if keys is None else read_image_keys(keys)
    evaluate_scored(judged, protocol, section, dataset, experiment, listed).save(out)
