"""The network against the published code, if that is installed, with random weights and two sizes of input."""

import pytest
import torch
from vision_models import published_name, random_lite0

from vldeformer.extractors.efficientnet_lite import EfficientNetLite, SameConv


@pytest.mark.parametrize("side", [224, 96])
def test_map_and_scores_are_those_of_the_published_code(side):
    package = pytest.importorskip("efficientnet_lite_pytorch")
    published = package.EfficientNet.from_name("efficientnet-lite0", image_size=side).eval()
    tensors = random_lite0()
    published.load_state_dict(tensors)
    network = EfficientNetLite().eval()
    network.load_state_dict({name: tensors[published_name(name)] for name in network.state_dict()})
    pixels = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        feature_map, logits = network(pixels)
        expected_map, expected = published.extract_features(pixels), published(pixels)
    assert feature_map.shape == (1, 1280, side // 32, side // 32) and feature_map.std() > 0.01
    assert torch.equal(feature_map, expected_map)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("length", "kernel", "stride"), [(6, 3, 2), (7, 3, 2), (6, 5, 2), (5, 5, 1), (4, 1, 1)])
def test_padding_puts_the_odd_pixel_to_the_right(length, kernel, stride):
    layer = SameConv(1, 1, kernel, stride)
    values = torch.arange(length * length, dtype=torch.float32).reshape(1, 1, length, length)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        found = layer(values)[0, 0]
    size = -(-length // stride)
    assert found.shape == (size, size)
    before = max((size - 1) * stride + kernel - length, 0) // 2
    for row in range(size):
        for column in range(size):
            inside = [
                values[0, 0, y, x].item()
                for y in range(row * stride - before, row * stride - before + kernel)
                for x in range(column * stride - before, column * stride - before + kernel)
                if 0 <= y < length and 0 <= x < length
            ]
            assert found[row, column].item() == sum(inside)
