import pytest
import torch
from torch import nn

from vldeformer.models.quick_linear import QuickLinear, quicken

INPUTS, OUTPUTS = 19, 16


def layer_of(bias: bool = True) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(INPUTS, OUTPUTS, bias)


def gradients(layer: nn.Linear, rows: torch.Tensor) -> list[torch.Tensor]:
    """Output, then the gradients of the input and of each parameter, for a loss that weighs every number differently."""
    rows = rows.clone().requires_grad_()
    output = layer(rows)
    weighed = torch.linspace(-1, 1, output.numel()).view_as(output)
    return [output.detach(), *torch.autograd.grad((output * weighed).sum(), [rows, *layer.parameters()])]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (3, 7), (1, 1), (2, 4, 3)])
def test_output_and_gradients_are_those_of_a_plain_layer(bias: bool, shape: tuple[int, ...]) -> None:
    layer, rows = layer_of(bias), torch.randn(*shape, INPUTS)
    plain, quick = gradients(layer, rows), gradients(QuickLinear.of(layer), rows)
    assert [value.shape for value in plain] == [value.shape for value in quick]
    for wanted, found in zip(plain, quick, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-4)


def test_the_gradient_is_that_of_differences() -> None:
    layer = QuickLinear.of(layer_of())
    rows, step = torch.randn(4, INPUTS), 1e-2
    layer(rows).sin().sum().backward()
    assert layer.weight.grad is not None
    for place in [(0, 0), (OUTPUTS - 1, INPUTS - 1), (7, 11)]:
        ends = []
        for sign in (1, -1):
            moved = layer.weight.detach().double().clone()
            moved[place] += sign * step
            assert layer.bias is not None
            ends.append((rows.double() @ moved.T + layer.bias.double()).sin().sum().item())
        assert layer.weight.grad[place].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-2, abs=1e-3)


def test_weights_that_stay_as_they_are_get_no_gradient() -> None:
    layer = QuickLinear.of(layer_of().requires_grad_(False))
    rows = torch.randn(3, INPUTS, requires_grad=True)
    layer(rows).sum().backward()
    assert layer.weight.grad is None
    torch.testing.assert_close(rows.grad, layer.weight.sum(0).expand(3, -1))


def test_autocast_and_other_types_go_the_usual_way() -> None:
    layer, rows = layer_of(), torch.randn(3, INPUTS)
    quick = QuickLinear.of(layer)
    with torch.autocast("cpu", torch.bfloat16):
        assert quick(rows).dtype == torch.bfloat16
        assert torch.equal(quick(rows), layer(rows))
    assert torch.equal(quick.double()(rows.double()), layer.double()(rows.double()))


def test_layers_are_replaced_and_nothing_else_changes() -> None:
    model = nn.Sequential(nn.Linear(4, INPUTS), nn.Sequential(layer_of(), nn.LayerNorm(OUTPUTS)))
    names, parameters = list(model.state_dict()), list(model.parameters())
    state = torch.get_rng_state()
    quicken(model)
    assert [type(layer) for layer in (model[0], *model[1])] == [QuickLinear, QuickLinear, nn.LayerNorm]
    assert list(model.state_dict()) == names
    assert all(one is other for one, other in zip(model.parameters(), parameters, strict=True))
    assert torch.equal(torch.get_rng_state(), state)
    quicken(model)  # again: nothing is left to do
    assert list(model.state_dict()) == names
