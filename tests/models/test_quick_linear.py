import pytest
import torch
from torch import nn

from vldeformer.models.packed import NARROWEST
from vldeformer.models.quick_linear import QuickLinear, quicken

WIDE = NARROWEST + 3


def wide_layer(bias: bool = True) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(WIDE, NARROWEST, bias)


def gradients(layer: nn.Linear, rows: torch.Tensor) -> list[torch.Tensor]:
    """Output, then the gradients of the input and of each parameter, for a loss that weighs every number differently."""
    rows = rows.clone().requires_grad_()
    output = layer(rows)
    weighed = torch.linspace(-1, 1, output.numel()).view_as(output)
    return [output.detach(), *torch.autograd.grad((output * weighed).sum(), [rows, *layer.parameters()])]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (3, 7), (1, 1), (2, 4, 3)])
def test_output_and_gradients_are_those_of_a_plain_layer(bias: bool, shape: tuple[int, ...]) -> None:
    layer, rows = wide_layer(bias), torch.randn(*shape, WIDE)
    plain, quick = gradients(layer, rows), gradients(QuickLinear.of(layer), rows)
    assert [value.shape for value in plain] == [value.shape for value in quick]
    for wanted, found in zip(plain, quick, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-4)


def test_the_gradient_is_that_of_differences() -> None:
    layer = QuickLinear.of(wide_layer())
    rows, step = torch.randn(4, WIDE), 1e-2
    layer(rows).sin().sum().backward()
    assert layer.weight.grad is not None
    for place in [(0, 0), (NARROWEST - 1, WIDE - 1), (7, 11)]:
        ends = []
        for sign in (1, -1):
            moved = layer.weight.detach().double().clone()
            moved[place] += sign * step
            assert layer.bias is not None
            ends.append((rows.double() @ moved.T + layer.bias.double()).sin().sum().item())
        assert layer.weight.grad[place].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-2, abs=1e-3)


def test_weights_that_stay_as_they_are_get_no_gradient() -> None:
    layer = QuickLinear.of(wide_layer().requires_grad_(False))
    rows = torch.randn(3, WIDE, requires_grad=True)
    layer(rows).sum().backward()
    assert layer.weight.grad is None
    torch.testing.assert_close(rows.grad, layer.weight.sum(0).expand(3, -1))


def test_autocast_and_other_types_go_the_usual_way() -> None:
    layer, rows = wide_layer(), torch.randn(3, WIDE)
    quick = QuickLinear.of(layer)
    with torch.autocast("cpu", torch.bfloat16):
        assert quick(rows).dtype == torch.bfloat16
        assert torch.equal(quick(rows), layer(rows))
    assert torch.equal(quick.double()(rows.double()), layer.double()(rows.double()))


def test_only_wide_layers_are_replaced_and_nothing_else_changes() -> None:
    model = nn.Sequential(nn.Linear(NARROWEST - 1, WIDE), nn.Sequential(wide_layer(), nn.LayerNorm(NARROWEST)))
    model.append(nn.Linear(NARROWEST, 2))
    names, parameters = list(model.state_dict()), list(model.parameters())
    state = torch.get_rng_state()
    quicken(model)
    assert [type(layer) for layer in (model[0], model[1][0], model[2])] == [nn.Linear, QuickLinear, nn.Linear]
    assert list(model.state_dict()) == names
    assert all(one is other for one, other in zip(model.parameters(), parameters, strict=True))
    assert torch.equal(torch.get_rng_state(), state)
    quicken(model)  # again: nothing is left to do
    assert list(model.state_dict()) == names
