"""ResNet-18: depth that trains, by adding each part to what went in."""

from __future__ import annotations

from .. import nn
from ..tensor import Tensor
from . import checks


class BasicBlock(nn.Module):
    """y = relu(F(x) + x), where F is two 3×3 convolutions, each with batch norm.

    Where F changes the size, x passes a 1×1 convolution of the same stride instead. The sum lets
    the gradient by unchanged: dx = g + (g through F), so a block that has learnt nothing yet does
    no harm.

    Shapes: input (N, in_channels, H, W), output (N, out_channels, ⌈H/stride⌉, ⌈W/stride⌉).

    >>> import gradling
    >>> from gradling.models import BasicBlock
    >>> BasicBlock(4, 8, stride=2)(gradling.randn(3, 4, 5, 5)).shape
    (3, 8, 3, 3)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        x = x if self.downsample is None else self.downsample(x)
        return self.relu(y + x)  # type: ignore[no-any-return]


class ResNet18(nn.Module):
    """Eight residual blocks in four stages, each with half the height and twice the maps.

    Args:
        num_classes: number of logits.
        stem: "imagenet" begins with a 7×7 convolution of stride 2 and a pooling, which leaves an
            eighth of each side of 32 pixels; "cifar" begins with one 3×3 convolution, for images of
            some 32 pixels a side.
        width: maps of the first stage; the stages have 1, 2, 4 and 8 times as many.
        in_channels: of the images.

    Shapes: input (N, in_channels, H, W) of any size, output (N, num_classes). The names are those
    of torchvision's ``resnet18``, whose weights load: 11,689,512 parameters by default.
    ``ResNet18(10, stem="cifar")`` has 11,173,962.

    Convolutions start normally distributed with variance 2/(9·out_channels), which keeps the size
    of gradients through ReLU; batch norm follows each, so they have no bias. He et al., "Deep
    residual learning for image recognition" (2016).

    >>> import gradling
    >>> from gradling.models import ResNet18
    >>> model = ResNet18(10, stem="cifar", width=4)
    >>> model(gradling.randn(2, 3, 16, 16)).shape
    (2, 10)
    >>> list(model.state_dict())[12:14]
    ['layer1.0.conv2.weight', 'layer1.0.bn2.weight']
    """

    def __init__(
        self,
        num_classes: int = 1000,
        *,
        stem: str = "imagenet",
        width: int = 64,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        checks.sizes("ResNet18", num_classes=num_classes, width=width, in_channels=in_channels)
        if stem not in ("imagenet", "cifar"):
            raise ValueError(f"ResNet18: stem must be 'imagenet' or 'cifar', got {stem!r}")
        large = stem == "imagenet"
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(
            in_channels, width, 7 if large else 3, 2 if large else 1, 3 if large else 1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1) if large else nn.Identity()
        self.layer1 = nn.Sequential(BasicBlock(width, width), BasicBlock(width, width))
        self.layer2 = self._stage(width)
        self.layer3 = self._stage(2 * width)
        self.layer4 = self._stage(4 * width)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @staticmethod
    def _stage(width: int) -> nn.Sequential:
        return nn.Sequential(BasicBlock(width, 2 * width, 2), BasicBlock(2 * width, 2 * width))

    def forward(self, x: Tensor) -> Tensor:
        checks.images("ResNet18", x, self.in_channels)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))  # type: ignore[no-any-return]
