"""EfficientNet-Lite0 in the layout of the published weights; names of modules are theirs without leading underscores."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, side of the kernel, stride of the first block, expansion, width."""
STEM, WIDTH, CLASSES = 32, 1280, 1000


class SameConv(nn.Conv2d):
    """A convolution without bias, padded as TensorFlow does it: an odd pixel goes to the right and the bottom."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups, bias=False)

    def forward(self, values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Pad and convolve: a side of n becomes n / stride, rounded up."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return super().forward(values)
        sides = []
        for length in (values.shape[3], values.shape[2]):
            missing = max((-(-length // stride) - 1) * stride + kernel - length, 0)
            sides += [missing // 2, missing - missing // 2]
        return super().forward(functional.pad(values, sides))


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """Widen, convolve each channel alone, narrow; the input is added where shapes allow it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand_conv = SameConv(inputs, inner, 1) if expansion != 1 else None
        self.bn0 = _norm(inner) if expansion != 1 else None
        self.depthwise_conv = SameConv(inner, inner, kernel, stride, groups=inner)
        self.bn1 = _norm(inner)
        self.project_conv = SameConv(inner, outputs, 1)
        self.bn2 = _norm(outputs)
        self.added = stride == 1 and inputs == outputs

    def forward(self, values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """States of the next block."""
        inner = values
        if self.expand_conv is not None and self.bn0 is not None:
            inner = functional.relu6(self.bn0(self.expand_conv(inner)))
        inner = functional.relu6(self.bn1(self.depthwise_conv(inner)))
        narrow: Tensor = self.bn2(self.project_conv(inner))
        return narrow + values if self.added else narrow


class EfficientNetLite(nn.Module):
    """The network of one picture or several, without dropout: it is not trained here."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn0 = SameConv(3, STEM, 3, 2), _norm(STEM)
        blocks, inputs = [], STEM
        for number, kernel, stride, expansion, outputs in STAGES:
            for place in range(number):
                blocks.append(Block(inputs, outputs, kernel, stride if place == 0 else 1, expansion))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.conv_head, self.bn1 = SameConv(inputs, WIDTH, 1), _norm(WIDTH)
        self.fc = nn.Linear(WIDTH, CLASSES)

    def forward(self, pixels: Float[Tensor, "B 3 S S"]) -> tuple[Float[Tensor, "B V H W"], Float[Tensor, "B classes"]]:
        """Last feature map (a cell is 32 pixels wide) and scores of the classes."""
        values = functional.relu6(self.bn0(self.conv_stem(pixels)))
        for block in self.blocks:
            values = block(values)
        feature_map = functional.relu6(self.bn1(self.conv_head(values)))
        return feature_map, self.fc(feature_map.mean(dim=(2, 3)))
