"""Where the arithmetic runs: device, threads, precision. A setting, never guessed from the scheduler."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from vldeformer.errors import InputError
from vldeformer.section import Section

if TYPE_CHECKING:
    import torch


class RuntimeSettings(Section):
    """The machine's part of the settings. Float sums depend on the thread count, so it is fixed here."""

    device: Literal["cpu", "cuda"] = Field(description="where models run")
    threads: int = Field(ge=1, description="threads of torch and BLAS, whatever the scheduler's cores")
    precision: Literal["float32", "bfloat16"] = Field(description="precision of matrix products; weights stay float32")
    kernels: Literal["fast", "plain"] = Field(
        default="fast",
        description="layers of a training on a CPU. fast: linear layers by the faster library for the processor, dropout from 16"
        " random bits a value; plain: PyTorch's own",
    )
    processes: int = Field(ge=1, description="processes of a training, started by accelerate; more than one needs as many GPUs")


def this_machine() -> RuntimeSettings:
    """What is used where no settings are given: all processors of this machine in float32."""
    return RuntimeSettings(device="cpu", threads=os.cpu_count() or 1, precision="float32", processes=1)


def prepare_torch(settings: RuntimeSettings) -> "torch.device":
    """Set threads and determinism and return the device. Raises InputError if the device is not there."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(settings.threads)
    # Filling fresh memory guards against reading it uninitialised, which no operation here does, and costs 5 %.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch has no types for it
    torch.use_deterministic_algorithms(True, warn_only=settings.device == "cuda")
    return find_device(settings.device)


def find_device(name: Literal["cpu", "cuda"]) -> "torch.device":
    """The device; of several GPUs the one of this process. Raises InputError if there is none."""
    import torch

    if name == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise InputError("device is cuda but torch sees no GPU here; set it to cpu or run on a machine with one")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextlib.contextmanager
def arithmetic(settings: RuntimeSettings) -> Iterator[None]:
    """Run matrix products in the chosen precision."""
    import torch

    with torch.autocast(settings.device, dtype=torch.bfloat16, enabled=settings.precision == "bfloat16"):
        yield


def processor_name() -> str:
    """The model of the CPU, or what the system says of it if it does not say the model."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
