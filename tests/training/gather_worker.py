"""Run by test_gather.py as one of two processes: a loss over gathered rows, one step of the real task, a short training."""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from vldeformer.data.manifest import Manifest
from vldeformer.inputs.drawn_negatives import ComposedNegatives
from vldeformer.inputs.streams import PairStream
from vldeformer.inputs.tokens import WordPieces
from vldeformer.models.dual import decompose
from vldeformer.models.weights import build_backbone
from vldeformer.negatives.stored import read_hard_images, read_hard_texts
from vldeformer.objective.retrieval import retrieval_loss
from vldeformer.retrieval.reader import Lengths, open_reader
from vldeformer.runtime import RuntimeSettings, this_machine
from vldeformer.steps.settings_file import read_backbone, read_training
from vldeformer.steps.train import VERSION, train
from vldeformer.training.loop import start_processes
from vldeformer.training.settings import DualTraining
from vldeformer.training.tasks import contrastive_training
from vldeformer.training.vector_loss import gather_rows


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
    loss = retrieval_loss("infonce", gather_rows(captions), gather_rows(images), numbers, 0.2, 1.0, gather_rows(hard), valid)
    loss.backward()
    found = {"loss": loss.detach(), "gradient": encoder.weight.grad, "numbers": numbers, "valid": valid}
    for chunk_images in (None, 1):
        found[f"step {chunk_images}"] = one_step(asked, chunk_images, accelerator)
    torch.save(found, folder / f"found{accelerator.process_index}.pt")
    # As accelerate starts them: neither is ahead by so much that it holds the folder before the other one has looked at it.
    accelerator.wait_for_everyone()
    train(**{name: None if value is None else Path(value) for name, value in asked.items()})


def one_step(asked: dict[str, Any], chunk_images: int | None, accelerator: Accelerator) -> dict[str, Any]:
    """Loss and gradients of the first step of the contrastive task, hard negatives and a learned temperature included."""
    settings = json.loads(Path(asked["settings"]).read_text())
    settings["train"]["chunk_images"] = chunk_images
    settings["train"]["loss"]["learn_temperature"] = True
    path = Path(asked["settings"]).with_name(f"chunks_{chunk_images}_{accelerator.process_index}.json")
    path.write_text(json.dumps(settings))
    backbone, section = read_backbone(path, VERSION), read_training(path, VERSION)
    assert isinstance(section, DualTraining)
    words, negatives = WordPieces.load(Path(asked["tokenizer"])), Path(asked["negatives"])
    lengths = Lengths.of(backbone, section.pooling)
    reader = open_reader(backbone, words, Path(asked["features"]), lengths, this_machine())
    torch.manual_seed(1)
    encoder = decompose(
        build_backbone(backbone, len(words), reader.visual.feature_width), dropout=0.0, initial_temperature=section.temperature
    )
    stream = PairStream(
        Manifest.load(Path(asked["manifest"])).split("train"),
        reader.text,
        reader.visual,
        section.batch_images,
        section.seed,
        negatives=ComposedNegatives(read_hard_texts(negatives), read_hard_images(negatives)),
        share=(accelerator.process_index, accelerator.num_processes),
    )
    wrapped = accelerator.prepare(encoder).train()
    loss, _ = contrastive_training(stream, section, accelerator, {})(wrapped, 0)
    return {"loss": loss, "gradients": {name: weight.grad for name, weight in encoder.named_parameters()}}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
