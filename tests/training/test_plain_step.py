"""Our training step is the plain padded loop of the benchmark: the same loss, gradient and weights, and so are both compared."""

import importlib.util
import sys
from pathlib import Path

import pytest
from tiny_settings import COMPOSED, training

from vldeformer.inputs.collate import ComposedImage
from vldeformer.inputs.drawn_negatives import ComposedNegatives
from vldeformer.inputs.streams import PairStream
from vldeformer.models import packed
from vldeformer.models.dual import decompose
from vldeformer.models.fast_layers import use_fast_layers
from vldeformer.training.loop import Task, fit, start_processes
from vldeformer.training.optim import build_optimizer, learning_rate
from vldeformer.training.tasks import contrastive_training

PAIRS, STEPS = 16, 3


@pytest.fixture(scope="module")
def plain():
    path = Path(__file__).parents[2] / "benchmarks" / "plain_step.py"
    spec = importlib.util.spec_from_file_location("plain_step", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def streams(manifest, readers, monkeypatch):
    """The same pairs twice: padded to the longest of the batch and read in buckets, and padded to the settings' lengths."""
    monkeypatch.setattr(packed, "FEWEST_ROWS", 4)
    train = manifest.split("train")
    texts = {caption.id: ["a ring left of a star"] for caption in train.captions if not caption.id.endswith("#1")}
    ids = [image.id for image in train.images]
    images = {own: [ComposedImage(own, ids[row - 1], (0,), (0,))] for row, own in enumerate(ids) if row % 3}

    def stream(full):
        read = readers("oscar", full)
        return PairStream(train, read.text, read.visual, PAIRS, 1, negatives=ComposedNegatives(texts, images))

    return stream(False), stream(True)


def settings(**changes):
    return training(**{"hard_negatives": COMPOSED, "batch_images": PAIRS, "steps": STEPS} | changes)


def gradients(model):
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("scope", ["batch", "anchor"])
def test_loss_and_gradient_are_those_of_the_plain_padded_loop(plain, streams, make_backbone, runtime, scope):
    ours, padded = streams
    given, model = settings(hard_negatives=COMPOSED | {"scope": scope}), decompose(make_backbone("oscar")).eval()
    read = []
    model.backbone.bert.encoder.layer[0].register_forward_pre_hook(lambda _, states: read.append(states[0].shape[:2]))
    loss, _ = contrastive_training(ours, given, start_processes(runtime), {})(model, 1)
    found, in_buckets = gradients(model), read.copy()
    model.zero_grad()
    read.clear()
    batch = padded.batch(1)
    assert 0 < batch.hard_text_valid.sum() < PAIRS and 0 < batch.hard_visual_valid.sum() < PAIRS
    expected = plain.plain_loss(model, batch, given)
    expected.backward()
    right = gradients(model)
    # The two really go different ways: four padded passes there, more and shorter ones here.
    assert [rows for rows, _ in read] == [PAIRS] * 4 and len(in_buckets) > 4
    assert sum(rows * length for rows, length in in_buckets) < 0.8 * sum(rows * length for rows, length in read)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert found.keys() == right.keys()
    largest = max(gradient.abs().max() for gradient in right.values())
    assert largest > 1e-2
    for name, gradient in right.items():
        assert (gradient - found[name]).abs().max() <= 2e-5 * largest, name


def test_a_wrong_negative_would_be_noticed(plain, streams, make_backbone, runtime):
    ours, padded = streams
    given, model = settings(), decompose(make_backbone("oscar")).eval()
    loss, _ = contrastive_training(ours, given, start_processes(runtime), {})(model, 1)
    batch = padded.batch(1)
    without = plain.plain_loss(model, batch.part(0, PAIRS - 1), given)
    assert abs(loss.item() - without.item()) > 1e-2


def test_steps_of_the_loop_lead_to_the_weights_of_the_plain_one(plain, streams, make_backbone, runtime, tmp_path):
    ours, padded = streams
    given = settings(warmup_steps=0, learning_rate=1e-3)
    one, other = (decompose(make_backbone("oscar", dropout=0.0), dropout=0.0) for _ in range(2))
    start = {name: weight.clone() for name, weight in one.state_dict().items()}
    accelerator = start_processes(runtime)
    use_fast_layers(one)
    fit(one, Task(contrastive_training(ours, given, accelerator, {})), given, accelerator, tmp_path, "key")
    optimizer = build_optimizer(other.train(), given.weight_decay)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, given.learning_rate, given.warmup_steps, given.steps)
        assert plain.plain_step(other, optimizer, padded, given, step) > 0
    moved = 0.0
    for name, weight in other.state_dict().items():
        # AdamW moves a weight by about the learning rate whatever the gradient: where that is rounding alone, either way.
        if weight.is_floating_point() and not name.endswith("key.bias"):
            assert (weight - one.state_dict()[name]).abs().max() < 3e-4, name
            moved = max(moved, (weight - start[name]).abs().max().item())
    assert moved > 1e-3
