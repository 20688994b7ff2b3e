"""Run by test_gather.py as one of two processes: a loss over gathered rows, then a short training by the stage itself."""

import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from vldeformer.objective.contrastive import contrastive_loss
from vldeformer.runtime import RuntimeSettings
from vldeformer.stages.train import train
from vldeformer.training.gather import gather_rows
from vldeformer.training.loop import start_processes


def main(folder: Path) -> None:
    asked = json.loads((folder / "asked.json").read_text())
    accelerator = start_processes(RuntimeSettings(device="cpu", threads=1, precision="float32", processes=2))
    given = torch.load(folder / "given.pt")
    encoder = nn.Linear(*given["weight"].T.shape, bias=False)
    encoder.weight.data.copy_(given["weight"])
    wrapped = DistributedDataParallel(encoder)
    own = slice(accelerator.process_index, None, 2)
    vectors = wrapped(torch.cat([given[name][own] for name in ("captions", "images", "hard")]))
    captions, images, hard = vectors.chunk(3)
    numbers, valid = gather_rows(given["numbers"][own]), gather_rows(given["valid"][own])
    loss = contrastive_loss(gather_rows(captions), gather_rows(images), numbers, 0.2, gather_rows(hard), valid)
    loss.backward()
    found = {"loss": loss.detach(), "gradient": encoder.weight.grad, "numbers": numbers, "valid": valid}
    torch.save(found, folder / f"found{accelerator.process_index}.pt")
    train(**{name: None if value is None else Path(value) for name, value in asked.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
