"""Two processes on a CPU do what one with the whole batch does."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_settings import COMPOSED
from torch import nn
from training.gather_worker import one_step

from vldeformer.objective.retrieval import retrieval_loss
from vldeformer.steps.negatives import negatives
from vldeformer.steps.train import train
from vldeformer.training.loop import start_processes
from vldeformer.training.vector_loss import gather_rows

WORKER = Path(__file__).with_name("gather_worker.py")
NO_DROPOUT = {
    "backbone": {"dropout": 0.0},
    "train": {"steps": 3, "hard_negatives": COMPOSED, "pooling_dropout": 0.0, "validate_steps": 3},
}


def test_alone_it_is_the_identity():
    rows = torch.randn(3, 2, requires_grad=True)
    assert gather_rows(rows) is rows


@pytest.fixture(scope="module")
def two(tmp_path_factory, tiny, write_settings):
    """What two processes found, and the journals of a training by two and by one."""
    folder = tmp_path_factory.mktemp("two")
    negatives(settings=write_settings(), manifest=tiny.manifest, features=tiny.regions, out=folder / "negatives")
    inputs = {"manifest": tiny.manifest, "features": tiny.regions, "tokenizer": tiny.tokenizer}
    inputs |= {"start": None, "negatives": folder / "negatives"}
    asked = inputs | {"settings": write_settings(**NO_DROPOUT, runtime={"processes": 2}), "out": folder / "by-two"}
    (folder / "asked.json").write_text(json.dumps({name: None if value is None else str(value) for name, value in asked.items()}))
    draw = torch.Generator().manual_seed(0)
    given = {name: torch.randn(8, 5, generator=draw) for name in ("captions", "images", "hard")}
    given |= {"weight": torch.randn(4, 5, generator=draw), "numbers": torch.tensor([0, 1, 2, 1, 4, 5, 6, 0])}
    given |= {"valid": torch.tensor([1, 1, 0, 1, 0, 1, 1, 1], dtype=torch.bool)}
    torch.save(given, folder / "given.pt")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": "1",
        "ACCELERATE_USE_CPU": "1",
    }
    command = [sys.executable, str(WORKER), str(folder)]
    processes = [
        subprocess.Popen(
            command, env=os.environ | common | {"RANK": str(rank), "LOCAL_RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    try:
        errors = [process.communicate(timeout=120)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], errors
    train(settings=write_settings(**NO_DROPOUT), **inputs, out=folder / "by-one")
    return folder, given


def test_loss_and_gradient_are_those_of_the_whole_batch(two):
    folder, given = two
    encoder = nn.Linear(5, 4, bias=False)
    encoder.weight.data.copy_(given["weight"])
    vectors = [encoder(given[name]) for name in ("captions", "images", "hard")]
    loss = retrieval_loss("infonce", vectors[0], vectors[1], given["numbers"], 0.2, 1.0, vectors[2], given["valid"])
    loss.backward()
    for rank in range(2):
        found = torch.load(folder / f"found{rank}.pt")
        assert found["loss"].item() == pytest.approx(loss.item(), rel=1e-6)
        assert torch.allclose(found["gradient"], encoder.weight.grad, atol=1e-6)
        assert torch.equal(found["numbers"], given["numbers"]) and torch.equal(found["valid"], given["valid"])


@pytest.mark.parametrize("chunk_images", [None, 1])
def test_the_first_step_of_two_processes_is_that_of_one_with_twice_the_batch(two, runtime, chunk_images):
    folder, _ = two
    expected = one_step(json.loads((folder / "asked.json").read_text()), None, start_processes(runtime))
    assert expected["gradients"]["log_temperature"].abs() > 1e-3
    largest = max(grad.abs().max() for grad in expected["gradients"].values() if grad is not None)
    for rank in range(2):
        found = torch.load(folder / f"found{rank}.pt")[f"step {chunk_images}"]
        assert found["loss"].item() == pytest.approx(expected["loss"].item(), abs=1e-5)
        for name, right in expected["gradients"].items():
            if right is None:
                assert found["gradients"][name] is None or not found["gradients"][name].any(), name
            else:
                assert (found["gradients"][name] - right).abs().max() < 1e-5 * max(1.0, largest), name


def test_a_training_by_two_is_the_training_by_one(two):
    by_two, by_one = (
        [json.loads(line) for line in (two[0] / name / "journal.jsonl").read_text().splitlines()] for name in ("by-two", "by-one")
    )
    assert [line["step"] for line in by_two] == [line["step"] for line in by_one] == [1, 2, 3, 3]
    for name in ("loss", "grad_norm"):
        assert [line[name] for line in by_two[:3]] == pytest.approx([line[name] for line in by_one[:3]], rel=1e-3)
    assert not list(two[0].glob("by-*.run"))
