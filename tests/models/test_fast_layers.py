import pytest
import torch
from torch import nn

from vldeformer.models import fast_layers
from vldeformer.models.fast_layers import FEW_VALUES, FastDropout, FastLinear, onednn_is_faster, use_fast_layers

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
    plain, fast = gradients(layer, rows), gradients(FastLinear.of(layer), rows)
    assert [value.shape for value in plain] == [value.shape for value in fast]
    for wanted, found in zip(plain, fast, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-4)


def test_the_gradient_is_that_of_differences() -> None:
    layer = FastLinear.of(layer_of())
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
    layer = FastLinear.of(layer_of().requires_grad_(False))
    rows = torch.randn(3, INPUTS, requires_grad=True)
    layer(rows).sum().backward()
    assert layer.weight.grad is None
    torch.testing.assert_close(rows.grad, layer.weight.sum(0).expand(3, -1))


def test_autocast_and_other_types_go_the_usual_way() -> None:
    layer, rows = layer_of(), torch.randn(3, INPUTS)
    fast = FastLinear.of(layer)
    with torch.autocast("cpu", torch.bfloat16):
        assert fast(rows).dtype == torch.bfloat16
        assert torch.equal(fast(rows), layer(rows))
    assert torch.equal(fast.double()(rows.double()), layer.double()(rows.double()))


@pytest.mark.parametrize(
    ("processor", "faster"),
    [("AMD EPYC 9B14", True), ("AMD EPYC", True), ("Intel Xeon", False), ("", False), (None, False)],
)
def test_onednn_multiplies_where_mkl_uses_half_the_processor(
    monkeypatch: pytest.MonkeyPatch, processor: str | None, faster: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {} if processor is None else {"cpu_name": processor})
    assert onednn_is_faster() == faster
    model = nn.Sequential(layer_of(), nn.Dropout())
    use_fast_layers(model)
    assert [type(layer) for layer in model] == [FastLinear if faster else nn.Linear, FastDropout]


def test_layers_are_replaced_and_nothing_else_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_layers, "onednn_is_faster", lambda: True)
    model = nn.Sequential(nn.Linear(4, INPUTS), nn.Sequential(layer_of(), nn.LayerNorm(OUTPUTS), nn.Dropout(0.3).eval()))
    names, parameters = list(model.state_dict()), list(model.parameters())
    state = torch.get_rng_state()
    use_fast_layers(model)
    assert [type(layer) for layer in (model[0], *model[1])] == [FastLinear, FastLinear, nn.LayerNorm, FastDropout]
    assert model[1][2].p == 0.3 and not model[1][2].training
    assert list(model.state_dict()) == names
    assert all(one is other for one, other in zip(model.parameters(), parameters, strict=True))
    assert torch.equal(torch.get_rng_state(), state)
    use_fast_layers(model)  # again: nothing is left to do
    assert list(model.state_dict()) == names


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_scales_the_rest(p: float, dtype: torch.dtype) -> None:
    values = torch.full((FEW_VALUES // 7 + 1, 7), 3.0, dtype=dtype)
    torch.manual_seed(0)
    found = FastDropout(p)(values).float()
    share = (found == 0).double().mean().item()
    assert abs(share - p) < 4 * (p * (1 - p) / found.numel()) ** 0.5, "four standard deviations"
    assert torch.allclose(found[found != 0], torch.tensor(3.0 / (1 - p)), rtol=1e-2 if dtype == torch.bfloat16 else 1e-4)
    # Each of the four values that a number decides, and each place of a row, is dropped alike and independently of the next.
    for apart in (4, 7):
        shares = (found.flatten()[: found.numel() // apart * apart].view(-1, apart) == 0).double().mean(0)
        assert (shares - p).abs().max() < 0.01
    one, next_one = (found.flatten()[start:].eq(0).double()[: found.numel() - 1] for start in (0, 1))
    assert abs(torch.corrcoef(torch.stack([one, next_one]))[0, 1]) < 0.02


def test_the_gradient_goes_where_the_values_went_and_the_seed_decides() -> None:
    layer, values = FastDropout(0.25), torch.randn(FEW_VALUES, requires_grad=True)
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(layer(values))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
    (gradient,) = torch.autograd.grad(found[0].sum(), values)
    torch.testing.assert_close(gradient, torch.where(found[0] == 0, 0.0, 1 / 0.75))


def test_dropout_of_few_values_without_chance_and_at_rest_is_the_usual_one() -> None:
    many, few = torch.randn(FEW_VALUES), torch.randn(FEW_VALUES - 1)
    assert FastDropout(0.0)(many) is many and FastDropout(0.4).eval()(many) is many
    assert not FastDropout(1.0)(many).any()
    outcomes = []
    for layer in (nn.Dropout(0.4), FastDropout(0.4)):
        torch.manual_seed(0)
        outcomes.append(layer(few))
    assert torch.equal(*outcomes)
