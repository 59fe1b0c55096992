"""LeNet-5: the convolutional net that read cheques."""

from __future__ import annotations

from .. import nn
from ..nn import functional as F
from ..tensor import Tensor
from . import checks


class LeNet5(nn.Module):
    """Two rounds of convolution and pooling, then three linear layers.

        28² → conv 5×5 (padded by 2) → 6 maps of 28² → pool → 6 of 14² → conv 5×5 → 16 of 10²
        → pool → 16 of 5² = 400 → 120 → 84 → logits

    A filter of 5×5 weights sees the same stroke wherever it is, so a convolution needs few of them;
    pooling keeps that a stroke is there, not where to the pixel. 61,706 parameters in all, 48,120
    of them in the first linear layer. The paper's tanh, trained subsampling and radial outputs have
    since given way to ReLU, maxima and logits, as here. LeCun, Bottou, Bengio & Haffner,
    "Gradient-based learning applied to document recognition" (1998).

    Args:
        num_classes: number of logits.
        in_channels: 1 for grey images, 3 for colour.
        image_size: height and width of the images. 32 is the paper's, whose digits had a margin;
            for those the first convolution pads nothing, so that both sizes count alike.

    Shapes: input (N, in_channels, image_size, image_size), output (N, num_classes).

    >>> import gradling
    >>> from gradling.models import LeNet5
    >>> model = LeNet5()
    >>> model(gradling.zeros(2, 1, 28, 28)).shape
    (2, 10)
    >>> sum(p.numel() for p in model.parameters())
    61706
    """

    def __init__(
        self, num_classes: int = 10, *, in_channels: int = 1, image_size: int = 28
    ) -> None:
        super().__init__()
        checks.sizes("LeNet5", num_classes=num_classes, in_channels=in_channels)
        padding = 0 if image_size == 32 else 2
        side = ((image_size + 2 * padding - 4) // 2 - 4) // 2
        if side < 1:
            raise ValueError(
                f"LeNet5: two rounds of convolution and pooling leave nothing of {image_size}x"
                f"{image_size} pixels; image_size must be at least 12"
            )
        self.in_channels, self.image_size = in_channels, image_size
        self.conv1 = nn.Conv2d(in_channels, 6, 5, padding=padding)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool2 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(16 * side * side, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        checks.images("LeNet5", x, self.in_channels, self.image_size)
        x = self.pool1(F.relu(self.conv1(x)))
        x = self.pool2(F.relu(self.conv2(x)))
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))  # type: ignore[no-any-return]
