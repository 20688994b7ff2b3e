"""The training loop, top to bottom. Every step is a function of its number and of the state, so a run can stop anywhere."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn
from tqdm import tqdm

from vldeformer.artifact import write_json
from vldeformer.errors import InputError
from vldeformer.runtime import RuntimeSettings, prepare_torch
from vldeformer.seeding import named_seed
from vldeformer.training.optim import build_optimizer, learning_rate
from vldeformer.training.optimizer_settings import OptimizerSettings
from vldeformer.training.run_files import Journal, RunState, load_state, peak_memory_mib, save_state

CLIP_NORM = 1.0
"""Gradients are scaled down to this norm, as in the released code."""
NAMED_IDS = 4
"""Pairs of a batch that a message names; a file holds them all."""


@dataclass(frozen=True)
class Task:
    """What is trained.

    backward: (model, step) → loss and figures for the journal; it leaves the gradient in the model.
    ids: step → lists of ids of its batch, to name the batch in a message.
    validate: model → value to maximise, every ``validate_steps`` steps and after the last one. The run ends early after
    ``patience`` measurements without a better one.
    state: what a later step needs to know of earlier ones beside weights; numbers, texts, tensors and lists of them. The task
    changes it in place, the loop saves it and brings it back.
    """

    backward: Callable[[nn.Module, int], tuple[Tensor, dict[str, float]]]
    ids: Callable[[int], Mapping[str, list[str]]] | None = None
    validate: Callable[[nn.Module], float] | None = None
    validate_steps: int = 1
    patience: int | None = None
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitted:
    """Result of a training: the step whose weights the model holds, the last step, and its weights if they differ."""

    kept_step: int
    last_step: int
    last_model: dict[str, Any] | None


def start_processes(runtime: RuntimeSettings) -> Accelerator:
    """Join the processes that accelerate started (one, if it started none) and prepare the device."""
    prepare_torch(runtime)
    mixed = "bf16" if runtime.precision == "bfloat16" else "no"
    # A decomposed encoder leaves the pooler of its backbone without gradient; with several processes that must be said.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    accelerator = Accelerator(cpu=runtime.device == "cpu", mixed_precision=mixed, kwargs_handlers=[unused])
    if accelerator.num_processes != runtime.processes:
        raise InputError(
            f"runtime.processes is {runtime.processes} but {accelerator.num_processes} run; "
            f"start with `accelerate launch --num_processes {runtime.processes} -m vldeformer.cli …`"
        )
    return accelerator


def fit(
    model: nn.Module,
    task: Task,
    settings: OptimizerSettings,
    accelerator: Accelerator,
    run_folder: Path,
    run_key: str,
) -> Fitted:
    """Train ``model`` in place; it ends with the weights that were best on validation, else with the last ones.

    ``run_folder`` holds ``state.pt`` and ``journal.jsonl`` while the run goes on; a killed run with the same ``run_key``
    continues from its last state and ends with the same bits as one that was never killed (on a CPU).
    Raises InputError, naming the step and its batch, if the loss or the gradient is not finite; the last state stays.
    """
    optimizer = build_optimizer(model, settings.weight_decay)
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    first, best_value, best_step, best_model, worse = 0, -math.inf, 0, None, 0
    state = load_state(run_folder / "state.pt", run_key)
    if state is not None:
        model.load_state_dict(state.model)
        optimizer.load_state_dict(state.optimizer)
        first, worse = state.step, state.worse
        best_value, best_step, best_model = state.best_value, state.best_step, state.best_model
        task.state.update(state.task)
    journal = Journal(run_folder / "journal.jsonl", first) if accelerator.is_main_process else None
    quiet = not accelerator.is_main_process
    progress = tqdm(total=settings.steps, initial=first, unit="step", disable=quiet, mininterval=5, dynamic_ncols=True)
    done = first
    while done < settings.steps and not (task.patience and worse >= task.patience):
        began, step, done = time.perf_counter(), done, done + 1
        rate = learning_rate(step, settings.learning_rate, settings.warmup_steps, settings.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        # Dropout's only source of randomness, fixed for each step: nothing has to be remembered across a restart.
        torch.manual_seed(named_seed(settings.seed, "dropout", step, accelerator.process_index))
        wrapped.train()
        loss, figures = task.backward(wrapped, step)
        norm = accelerator.clip_grad_norm_(wrapped.parameters(), CLIP_NORM)
        # Before the weights change: what is saved is always good to go on from.
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            progress.close()  # the message starts a line of its own
            raise InputError(_not_finite(loss.item(), float(norm), step, task, run_folder))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

        if journal is not None:
            line = {"loss": loss.item(), "lr": rate, "grad_norm": float(norm), **figures}
            speed = settings.batch_images / (time.perf_counter() - began)
            machine = {"images_per_second": round(speed, 1), "memory_mib": round(peak_memory_mib(accelerator.device), 1)}
            journal.write(step=done, **{name: round(value, 8) for name, value in line.items()}, **machine)
            progress.set_postfix(loss=f"{loss.item():.3f}", lr=f"{rate:.1e}", images_s=f"{speed:.0f}", refresh=False)
        progress.update()
        last = done == settings.steps
        if task.validate is not None and (done % task.validate_steps == 0 or last):
            model.eval()
            with torch.no_grad():
                value = task.validate(model)
            if journal is not None:
                journal.write(step=done, val_mean_recall=round(value, 6))
                progress.write(f"step {done}: mean recall on val {value:.2f}")
            worse += 1
            if value > best_value:
                best_value, best_step, best_model, worse = value, done, _copy(model), 0
            last = last or worse == task.patience
        if accelerator.is_main_process and (done % settings.checkpoint_steps == 0 or last):
            best = (best_value, best_step, best_model)
            saved = RunState(run_key, done, model.state_dict(), optimizer.state_dict(), *best, worse, task.state)
            save_state(run_folder / "state.pt", saved)
    progress.close()
    kept_step, last_model = done, None
    if best_model is not None and best_step != done:
        kept_step, last_model = best_step, _copy(model)
        model.load_state_dict(best_model)
    model.eval()
    return Fitted(kept_step, done, last_model)


def _not_finite(loss: float, norm: float, step: int, task: Task, run_folder: Path) -> str:
    """The message of a step that would ruin the weights; its ids go to ``bad_batch.json`` of the run folder."""
    found = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient's norm is {norm}"
    batch = ""
    if task.ids is not None:
        ids, path = task.ids(step), run_folder / "bad_batch.json"
        write_json(path, {"step": step + 1, "loss": str(loss), "grad_norm": str(norm), **ids})
        batch = "; ".join(f"{name} {', '.join(values[:NAMED_IDS])}" for name, values in ids.items())
        batch = f" with {batch} (the first {NAMED_IDS}; all are in {path})"
    return f"{found} at step {step + 1}{batch}; lower the learning rate or look at these inputs"


def _copy(model: nn.Module) -> dict[str, Any]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
