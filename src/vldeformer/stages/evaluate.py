"""Stage `evaluate`: vectors or scores → recalls with intervals, and every query's rank."""

from pathlib import Path

from vldeformer.evaluation.measures import EvaluationSettings
from vldeformer.evaluation.protocols import DEFAULT_SETTINGS, evaluate_scored
from vldeformer.evaluation.protocols import evaluate as evaluate_vectors
from vldeformer.retrieval.embeddings import Embeddings, Scores, load_array
from vldeformer.stages.sections import read_section


def evaluate(
    settings: Path | None, embeddings: Path | None, scores: Path | None, protocol: str, dataset: str, experiment: str, out: Path
) -> None:
    """Write RESULT.json and, beside it, the ranks; ``embeddings`` (EMB_DIR) or ``scores`` (SCORES_DIR) must be given."""
    section = DEFAULT_SETTINGS if settings is None else read_section(settings, "evaluate", EvaluationSettings)
    scored = Embeddings.load(embeddings) if embeddings is not None else Scores.load(_given(scores))
    evaluate_scored(scored, protocol, section, dataset, experiment).save(out)


def evaluate_arrays(images: Path, captions: Path, caption_image_index: Path, protocol: str, out: Path) -> None:
    """The same for anyone's vectors in .npy files."""
    evaluate_vectors(load_array(images), load_array(captions), load_array(caption_image_index), protocol).save(out)


def _given(path: Path | None) -> Path:
    assert path is not None, "the command line demands one of --embeddings and --scores"
    return path
