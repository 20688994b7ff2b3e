"""A training step with composed negatives beside a plain padded loop with the same model, loss, optimizer and pairs.

    python benchmarks/training_step.py --out benchmarks/training_step.json

Ours is `training.loop.fit` with the task of the stage `train`, from the reading of one batch to that of the next. First both give
loss and gradient of one batch without dropout; the script fails if they are not the same. What was tried beside is measured too.
"""

import argparse
import contextlib
import io
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate import Accelerator
from measuring import in_turns, save
from plain_step import plain_loss, plain_step
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from training_inputs import Case, scenes, vinvl
from training_variants import VARIANTS

from vldeformer.models.fast_layers import use_fast_layers
from vldeformer.runtime import RuntimeSettings
from vldeformer.training.loop import Task, fit, start_processes
from vldeformer.training.optim import build_optimizer
from vldeformer.training.tasks import contrastive_training

ROOT = Path(__file__).resolve().parent.parent
TARGET = 2.0
TOLERANCE = 1e-4
"""Largest difference of the losses, and of the gradients as a share of their norm, that rounding explains."""

Steps = list[dict[str, float]]
"""``seconds`` and ``cpu_seconds`` of each step, and ``wait``: seconds that the model waited for its batch."""


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--run", type=Path, default=ROOT / "artifacts" / "scenes" / "base", help="folder of a finished run")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data", help="has flickr30k; else only scenes")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    if not (given.run / "negatives").is_dir():
        raise SystemExit(f"{given.run}: expected a finished run of scenes, found none; run `make reproduce`, or give --run")
    accelerator = start_processes(RuntimeSettings(device="cpu", threads=1, precision="float32", processes=1))
    small = scenes(given.run, pairs=256)
    result = {"target": TARGET, "scenes": measured(small, accelerator, turns=3, steps=4), "tried": tried(small, accelerator)}
    if (given.shared / "flickr30k").is_dir():
        torch.set_num_threads(os.cpu_count() or 1)
        result["vinvl"] = measured(vinvl(given.run, given.shared, pairs=64), accelerator, turns=1, steps=2)
    save(given.out, result)


def measured(case: Case, accelerator: Accelerator, turns: int, steps: int) -> dict[str, object]:
    """Sameness and size of the work, then the step of both; ``steps`` a turn, after one to warm up."""
    value: dict[str, object] = {"pairs": case.settings.batch_images, "layers": case.layers, "threads": torch.get_num_threads()}
    value |= compared(case, accelerator)
    found = timed(
        {"ours": lambda: run_ours(case, accelerator, steps), "plain": lambda: run_plain(case, steps)},
        turns,
        case.settings.batch_images,
    )
    value |= found
    value["ratio"] = round(found["ours"]["pairs_per_second"] / found["plain"]["pairs_per_second"], 2)
    value["ratio_cpu"] = round(found["plain"]["cpu_seconds"] / found["ours"]["cpu_seconds"], 2)
    value["ours_gflops_per_second"] = round(float(str(value["gflop_ours"])) / found["ours"]["seconds"], 1)
    print(json.dumps({case.name: value}, indent=1), flush=True)
    return value


def tried(case: Case, accelerator: Accelerator) -> dict[str, dict[str, float]]:
    """Our step in other ways, each with how far its loss and gradient are from those of the plain loop."""
    contenders: dict[str, Callable[[], Steps]] = {}
    for name, changed in {"as it is": contextlib.nullcontext, **VARIANTS}.items():

        def run(changed: Callable[[], contextlib.AbstractContextManager[object]] = changed) -> Steps:
            with changed():
                return run_ours(case, accelerator, 4)

        contenders[name] = run
    found = timed(contenders, 1, case.settings.batch_images)
    for name, changed in VARIANTS.items():
        with changed():
            same = compared(case, accelerator, tolerance=None)
        found[name] |= {key: same[key] for key in ("loss_difference", "gradient_difference")}
        found[name]["ratio"] = round(found[name]["pairs_per_second"] / found["as it is"]["pairs_per_second"], 2)
        print(name, found[name], flush=True)
    return found


def compared(case: Case, accelerator: Accelerator, tolerance: float | None = TOLERANCE) -> dict[str, float]:
    """Loss and gradient of both for one batch, dropout off, and what each has to calculate.

    Positions: of captions, images and their negatives, a pair; useful ones are those without padding. Raises SystemExit if the
    two differ by more than ``tolerance``.
    """
    model = case.model().eval()
    positions = [0]
    model.backbone.bert.encoder.layer[0].register_forward_pre_hook(  # type: ignore[union-attr, operator, index]
        lambda _, states: positions.__setitem__(0, positions[0] + states[0].shape[0] * states[0].shape[1])
    )
    backward = contrastive_training(case.ours, case.settings, accelerator, {})
    with FlopCounterMode(display=False) as flops:
        backward(model, 0)
    computed, _ = positions[0], gradient_of(model)
    fast = case.model().eval()  # as `runtime.kernels: fast` has it; what it calls is not known to the counter
    use_fast_layers(fast)
    loss, _ = backward(fast, 0)
    ours, gradient = loss.item(), gradient_of(fast)
    padded = case.padded.batch(0)
    positions[0] = 0
    with FlopCounterMode(display=False) as plain_flops:
        plain = plain_loss(model, padded, case.settings)
        plain.backward()  # type: ignore[no-untyped-call]
    difference, other = abs(ours - plain.item()), gradient_of(model)
    share = ((gradient - other).norm() / other.norm()).item()
    if tolerance is not None and not (difference <= tolerance * abs(ours) and share <= tolerance):
        raise SystemExit(f"{case.name}: the two are not the same: losses {difference:g} apart, gradients {share:g} of their norm")
    assert padded.hard_text is not None and padded.hard_visual is not None
    pairs = len(padded)
    useful = sum(int(group.lengths.sum()) for group in (padded.text, padded.visual, padded.hard_text, padded.hard_visual))
    return {
        "loss": ours,
        "loss_difference": difference,
        "gradient_difference": share,
        "positions_useful": round(useful / pairs, 1),
        "positions_ours": round(computed / pairs, 1),
        "positions_plain": round(positions[0] / pairs, 1),
        "gflop_ours": round(flops.get_total_flops() / 1e9, 1),
        "gflop_plain": round(plain_flops.get_total_flops() / 1e9, 1),
    }


def gradient_of(model: nn.Module) -> torch.Tensor:
    """All of it as one row; it is taken out of the model."""
    row = torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])
    model.zero_grad(set_to_none=True)
    return row


def timed(contenders: dict[str, Callable[[], Steps]], turns: int, pairs: int) -> dict[str, dict[str, float]]:
    """Medians over all steps of all turns. The smallest times are there too: what others do on the machine only adds."""
    steps: dict[str, Steps] = {name: [] for name in contenders}
    in_turns({name: lambda name=name, run=run: steps[name].extend(run()) for name, run in contenders.items()}, turns)  # type: ignore[misc]
    found = {}
    for name, own in steps.items():
        value = {key: float(torch.tensor([step[key] for step in own]).median()) for key in own[0]}
        least = min(step["seconds"] for step in own)
        found[name] = {key: round(number, 4) for key, number in value.items()} | {
            "least_seconds": round(least, 4),
            "wait_share": round(value["wait"] / value["seconds"], 4),
            "pairs_per_second": round(pairs / value["seconds"], 1),
        }
    return found


class EnoughError(Exception):
    """Ends ``fit`` when the steps that count are over."""


def run_ours(case: Case, accelerator: Accelerator, steps: int) -> Steps:
    """Steps of ``fit`` from the same weights every time."""
    clock, waits = [], []
    backward = contrastive_training(case.ours, case.settings, accelerator, {})

    def noted(model: nn.Module, step: int) -> tuple[Tensor, dict[str, float]]:
        clock.append(now())
        if len(clock) == steps + 2:
            raise EnoughError
        loss, figures = backward(model, step)
        waits.append(figures["data_seconds"])
        return loss, figures

    settings = case.settings.model_copy(update={"steps": steps + 2, "checkpoint_steps": steps + 2})
    with contextlib.ExitStack() as around:
        folder = around.enter_context(tempfile.TemporaryDirectory())
        around.enter_context(contextlib.redirect_stderr(io.StringIO()))  # its progress bar
        around.enter_context(contextlib.suppress(EnoughError))
        model = case.model()
        use_fast_layers(model)
        fit(model, Task(noted), settings, accelerator, Path(folder), "benchmark")
    accelerator.free_memory()
    return between(clock, waits)


def run_plain(case: Case, steps: int) -> Steps:
    """Steps of the plain loop from the same weights."""
    model = case.model().train()
    optimizer = build_optimizer(model, case.settings.weight_decay)
    clock, waits = [now()], []
    for step in range(steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = case.settings.learning_rate
        waits.append(plain_step(model, optimizer, case.padded, case.settings, step))
        clock.append(now())
    return between(clock, waits)


def now() -> tuple[float, float]:
    """By the clock and of the processor, s."""
    return time.perf_counter(), time.process_time()


def between(clock: list[tuple[float, float]], waits: list[float]) -> Steps:
    """Each step from its begin to that of the next; the first warms up and is left out."""
    return [
        {"seconds": after[0] - before[0], "cpu_seconds": after[1] - before[1], "wait": wait}
        for before, after, wait in zip(clock[1:], clock[2:], waits[1:], strict=False)
    ]


if __name__ == "__main__":
    main()
