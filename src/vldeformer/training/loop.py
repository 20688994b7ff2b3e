"""The training loop, top to bottom. Every step is a function of its number and of the state, so a run can stop anywhere."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn
from tqdm import tqdm

from vldeformer.errors import InputError
from vldeformer.runtime import RuntimeSettings, prepare_torch
from vldeformer.seeding import named_seed
from vldeformer.training.checkpoint import RunState, load_state, save_state
from vldeformer.training.journal import Journal
from vldeformer.training.optim import build_optimizer
from vldeformer.training.schedule import learning_rate
from vldeformer.training.settings import OptimizerSettings

STEPS_PER_JOURNAL_LINE = 10


@dataclass(frozen=True)
class Task:
    """What is trained. ``loss``: (model, step) → loss and figures for the journal; ``validate``: model → value to maximise."""

    loss: Callable[[nn.Module, int], tuple[Tensor, dict[str, float]]]
    validate: Callable[[nn.Module], float] | None = None
    validate_steps: int = 1


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
    on_validation: Callable[[int, float], None] = lambda step, value: None,
) -> int:
    """Train ``model`` in place and return the step whose weights it holds: the best on validation, else the last.

    ``run_folder`` holds ``state.pt`` and ``journal.jsonl`` while the run goes on; a killed run with the same ``run_key``
    continues from its last state and ends with the same bits as one that was never killed (on a CPU).
    Raises InputError, naming the step, if the loss is not finite.
    """
    optimizer = build_optimizer(model, settings.weight_decay)
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    first, best_value, best_step, best_model = 0, -math.inf, 0, None
    state = load_state(run_folder / "state.pt", run_key)
    if state is not None:
        model.load_state_dict(state.model)
        optimizer.load_state_dict(state.optimizer)
        first, best_value, best_step, best_model = state.step, state.best_value, state.best_step, state.best_model
    journal = Journal(run_folder / "journal.jsonl", first) if accelerator.is_main_process else None
    quiet = not accelerator.is_main_process
    progress = tqdm(total=settings.steps, initial=first, unit="step", disable=quiet, mininterval=5, dynamic_ncols=True)
    started, images = time.monotonic(), 0
    for step in range(first, settings.steps):
        rate = learning_rate(step, settings.learning_rate, settings.warmup_steps, settings.steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        # Dropout's only source of randomness, fixed for each step: nothing has to be remembered across a restart.
        torch.manual_seed(named_seed(settings.seed, "dropout", step, accelerator.process_index))
        wrapped.train()
        loss, figures = task.loss(wrapped, step)
        if not torch.isfinite(loss):
            raise InputError(f"the loss is {loss.item()} at step {step + 1}; lower the learning rate or look at the inputs")
        accelerator.backward(loss)
        norm = accelerator.clip_grad_norm_(wrapped.parameters(), settings.clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

        done, images = step + 1, images + settings.batch_images
        last = done == settings.steps
        if journal is not None and (done % STEPS_PER_JOURNAL_LINE == 0 or last):
            speed = images / (time.monotonic() - started)
            line = {"loss": loss.item(), "lr": rate, "grad_norm": float(norm), **figures}
            journal.write(step=done, **{name: round(value, 8) for name, value in line.items()}, images_per_second=round(speed, 1))
            progress.set_postfix(loss=f"{loss.item():.3f}", lr=f"{rate:.1e}", images_s=f"{speed:.0f}", refresh=False)
        progress.update()
        if task.validate is not None and (done % task.validate_steps == 0 or last):
            model.eval()
            with torch.no_grad():
                value = task.validate(model)
            on_validation(done, value)
            if journal is not None:
                journal.write(step=done, val_mean_recall=round(value, 6))
                progress.write(f"step {done}: mean recall on val {value:.2f}")
            if value > best_value:
                best_value, best_step, best_model = value, done, _copy(model)
        if accelerator.is_main_process and (done % settings.checkpoint_steps == 0 or last):
            save_state(
                run_folder / "state.pt",
                RunState(run_key, done, model.state_dict(), optimizer.state_dict(), best_value, best_step, best_model),
            )
    progress.close()
    if best_model is not None:
        model.load_state_dict(best_model)
    model.eval()
    return best_step if best_model is not None else settings.steps


def _copy(model: nn.Module) -> dict[str, Any]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
