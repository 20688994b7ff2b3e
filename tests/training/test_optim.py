"""What is decayed and what is not."""

import math

import pytest
import torch
from torch import nn

from vldeformer.training.optim import build_optimizer, learning_rate


def test_only_matrices_are_decayed_and_frozen_ones_left_out():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Embedding(5, 4), nn.Linear(4, 2))
    model[3].weight.requires_grad_(False)
    decayed, plain = build_optimizer(model, 0.3).param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)
    assert {id(p) for p in decayed["params"]} == {id(model[0].weight), id(model[2].weight)}
    assert {id(p) for p in plain["params"]} == {id(model[0].bias), id(model[1].weight), id(model[1].bias), id(model[3].bias)}


def test_decay_pulls_matrices_towards_zero():
    model = nn.Linear(2, 2)
    before = model.weight.detach().clone(), model.bias.detach().clone()
    optimizer = build_optimizer(model, 0.5)
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    model.weight.grad, model.bias.grad = torch.zeros(2, 2), torch.zeros(2)
    optimizer.step()
    assert torch.allclose(model.weight, before[0] * (1 - 0.1 * 0.5)) and torch.equal(model.bias, before[1])


def rates(warmup, steps):
    return [learning_rate(step, 1.0, warmup, steps) for step in range(steps)]


def test_warm_up_then_half_a_cosine():
    assert rates(4, 12)[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert learning_rate(8, 1.0, 4, 12) == pytest.approx(0.5)
    assert rates(4, 12)[-1] == pytest.approx((1 + math.cos(7 / 8 * math.pi)) / 2)
    falling = rates(4, 12)[4:]
    assert falling == sorted(falling, reverse=True) and falling[-1] > 0
    assert learning_rate(12, 1.0, 4, 12) == 0 and learning_rate(99, 1.0, 4, 12) == 0


def test_without_warm_up_it_starts_at_the_highest_and_scales():
    assert learning_rate(0, 3e-4, 0, 10) == pytest.approx(3e-4)
    assert learning_rate(5, 3e-4, 0, 10) == pytest.approx(1.5e-4)


def test_all_warm_up():
    assert rates(4, 4) == pytest.approx([0.25, 0.5, 0.75, 1.0])
