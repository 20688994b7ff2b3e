"""What both training steps do around the loop: the key of a run, the finished folder, provenance."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from accelerate import Accelerator
from torch import nn

from vldeformer.artifact import RECORD, discard, whole_folder, write_json
from vldeformer.content_digest import digest
from vldeformer.folder_lock import folder_lock
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.weights import ModelDescription, save_model
from vldeformer.provenance import provenance
from vldeformer.section import Section
from vldeformer.training.loop import Fitted


def run_folder(out: Path) -> Path:
    """Where a run keeps its state until it is done: beside the result, so that a killed run finds it again."""
    return out.with_name(f"{out.name}.run")


def run_lock(out: Path, accelerator: Accelerator) -> contextlib.AbstractContextManager[None]:
    """Hold a training's folder: a second training would write the same journal. The main process holds it for the others.

    Raises InputError if another training writes the folder.
    """
    return folder_lock(out) if accelerator.is_main_process else contextlib.nullcontext()


def run_key(settings: Mapping[str, Section], inputs: Mapping[str, Path]) -> str:
    """Identifies settings and inputs by content: only a run with the same key is continued."""
    parts = {name: section.model_dump(mode="json") for name, section in settings.items()}
    return hashlib.sha256(json.dumps([parts, {n: digest(p) for n, p in inputs.items()}], sort_keys=True).encode()).hexdigest()


def finish(
    out: Path,
    model: nn.Module,
    description: ModelDescription,
    words: WordPieces,
    fitted: Fitted,
    settings: Mapping[str, Section],
    inputs: Mapping[str, Path],
    started: float,
    accelerator: Accelerator,
    extractor: Path | None = None,
) -> None:
    """Write ``model/`` and ``journal.jsonl`` and remove the run's state. Only the main process writes.

    If the last weights are others than those kept, they are written as ``last/``, a model folder too.
    """

    def save(path: Path) -> None:
        save_model(path, model, description, words)
        if extractor is not None:
            shutil.copy(extractor, path / extractor.name)

    if accelerator.is_main_process:
        with whole_folder(out) as folder:
            save(folder / "model")
            if fitted.last_model is not None:
                model.load_state_dict(fitted.last_model)
                save(folder / "last")
            shutil.copy(run_folder(out) / "journal.jsonl", folder / "journal.jsonl")
            sections = {name: section.model_dump(mode="json") for name, section in settings.items()}
            record = provenance(sections, inputs, started)
            write_json(folder / RECORD, {**record, "kept_step": fitted.kept_step, "last_step": fitted.last_step})
        discard(run_folder(out), out)
    accelerator.wait_for_everyone()
