"""ResNet-18 with the stem for 32 x 32 images (He et al., 2015), batch 32."""

from __future__ import annotations

from typing import Any

from ..case import Case, Step
from . import classes, normal, twins


def resnet18(nn: Any) -> Any:
    """The same modules in either library."""

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self, n: int, m: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(n, m, 3, stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(m)
            self.conv2 = nn.Conv2d(m, m, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(m)
            self.relu = nn.ReLU()
            self.short: Any = nn.Identity()
            if stride != 1 or n != m:
                self.short = nn.Sequential(
                    nn.Conv2d(n, m, 1, stride, bias=False), nn.BatchNorm2d(m)
                )

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(y + self.short(x))

    layers = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    n = 64
    for m, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(n, m, stride), Block(m, m, 1)]
        n = m
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def both_ways(lib: Any) -> Step:
    lib.manual_seed(0)
    model = resnet18(lib.nn)
    x, t = lib.tensor(normal(32, 3, 32, 32)), lib.tensor(classes(32, 10))

    def step() -> None:
        model.zero_grad()
        lib.nn.functional.cross_entropy(model(x), t).backward()

    return step


def forward_alone(lib: Any) -> Step:
    lib.manual_seed(0)
    model = resnet18(lib.nn)
    x = lib.tensor(normal(32, 3, 32, 32))

    def step() -> None:
        with lib.no_grad():
            model(x)

    return step


CASES = (
    Case(
        "resnet", "ResNet-18, 32 x 32, batch 32, forward and backward", twins(both_ways),
        {"torch": 1.0}, rounds=5,
    ),
    Case(
        "resnet-forward", "the same, forward alone", twins(forward_alone), {"torch": 1.0}, rounds=7
    ),
)  # fmt: skip
