"""What is decayed and what is not."""

import torch
from torch import nn

from vldeformer.training.optim import build_optimizer


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
