"""The whole models beside the same nets written in PyTorch, with weights carried both ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradling
from gradling import models

torch = pytest.importorskip("torch")
tnn, F = torch.nn, torch.nn.functional

Make = Callable[[], Any]


class LeNet5(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = tnn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = tnn.Conv2d(6, 16, 5)
        self.fc1 = tnn.Linear(16 * 5 * 5, 120)
        self.fc2 = tnn.Linear(120, 84)
        self.fc3 = tnn.Linear(84, 10)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc2(F.relu(self.fc1(x.flatten(1)))))
        return self.fc3(x)


class BasicBlock(tnn.Module):
    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.conv1 = tnn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = tnn.BatchNorm2d(cout)
        self.relu = tnn.ReLU(inplace=True)
        self.conv2 = tnn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = tnn.BatchNorm2d(cout)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = tnn.Sequential(
                tnn.Conv2d(cin, cout, 1, stride, bias=False), tnn.BatchNorm2d(cout)
            )

    def forward(self, x: Any) -> Any:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + shortcut)


class ResNet18(tnn.Module):
    def __init__(self, classes: int, stem: str, width: int) -> None:
        super().__init__()
        if stem == "imagenet":
            self.conv1 = tnn.Conv2d(3, width, 7, 2, 3, bias=False)
        else:
            self.conv1 = tnn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = tnn.BatchNorm2d(width)
        self.maxpool = tnn.MaxPool2d(3, 2, 1) if stem == "imagenet" else tnn.Identity()
        cin = width
        for stage, times in enumerate((1, 2, 4, 8), start=1):
            cout = width * times
            blocks = [BasicBlock(cin, cout, 1 if stage == 1 else 2), BasicBlock(cout, cout, 1)]
            setattr(self, f"layer{stage}", tnn.Sequential(*blocks))
            cin = cout
        self.fc = tnn.Linear(cin, classes)

    def forward(self, x: Any) -> Any:
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Block(tnn.Module):
    def __init__(self, n: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.ln_1 = tnn.LayerNorm(n)
        self.attn = tnn.MultiheadAttention(n, heads, dropout, batch_first=True)
        self.ln_2 = tnn.LayerNorm(n)
        self.mlp = tnn.Sequential(tnn.Linear(n, 4 * n), tnn.GELU(), tnn.Linear(4 * n, n))

    def forward(self, x: Any) -> Any:
        y = self.ln_1(x)
        ahead = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        x = x + self.attn(y, y, y, attn_mask=ahead, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class GPT(tnn.Module):
    def __init__(self, vocab: int, block: int, layers: int, heads: int, n: int, tied: bool) -> None:
        super().__init__()
        self.tokens = tnn.Embedding(vocab, n)
        self.positions = tnn.Embedding(block, n)
        self.blocks = tnn.ModuleList(Block(n, heads, 0.0) for _ in range(layers))
        self.norm = tnn.LayerNorm(n)
        self.head = tnn.Linear(n, vocab, bias=False)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, idx: Any) -> Any:
        x = self.tokens(idx) + self.positions(torch.arange(idx.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class TransformerClassifier(tnn.Module):
    def __init__(self, vocab: int, classes: int, n: int, heads: int, longest: int) -> None:
        super().__init__()
        self.tokens = tnn.Embedding(vocab, n, padding_idx=0)
        self.positions = tnn.Module()
        rate = torch.exp(torch.arange(0, n, 2) * (-np.log(10000.0) / n))
        angle = torch.arange(longest)[:, None] * rate
        code = torch.stack([angle.sin(), angle.cos()], -1).reshape(longest, n)
        self.positions.register_buffer("pe", code.float())
        layer = tnn.TransformerEncoderLayer(
            n, heads, 4 * n, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = tnn.TransformerEncoder(
            layer, 2, tnn.LayerNorm(n), enable_nested_tensor=False
        )
        self.head = tnn.Linear(n, classes)

    def forward(self, idx: Any) -> Any:
        x = self.tokens(idx) + self.positions.pe[: idx.shape[1]]
        x = self.encoder(x, src_key_padding_mask=idx == 0)
        real = (idx != 0).to(x.dtype)[:, :, None]
        return self.head((x * real).sum(1) / real.sum(1))


class MLPClassifier(tnn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = tnn.Sequential(tnn.Linear(35, 7), tnn.Tanh(), tnn.Linear(7, 3))

    def forward(self, x: Any) -> Any:
        return self.layers(x.flatten(1))


RNG = np.random.default_rng(0)
IDX = RNG.integers(1, 11, (3, 7))
PADDED = np.where(np.arange(7) < np.array([[7], [3], [1]]), IDX, 0)
CASES: dict[str, tuple[Make, Make, Any]] = {
    "mlp": (
        lambda: models.MLPClassifier(35, 3, (7,), activation=gradling.nn.Tanh),
        MLPClassifier,
        RNG.standard_normal((3, 5, 7)),
    ),
    "lenet": (models.LeNet5, LeNet5, RNG.standard_normal((3, 1, 28, 28))),
    "resnet-cifar": (
        lambda: models.ResNet18(7, stem="cifar", width=3),
        lambda: ResNet18(7, "cifar", 3),
        RNG.standard_normal((5, 3, 17, 13)),
    ),
    "resnet-imagenet": (
        lambda: models.ResNet18(7, width=2),
        lambda: ResNet18(7, "imagenet", 2),
        RNG.standard_normal((5, 3, 67, 37)),
    ),
    "gpt": (lambda: models.GPT(11, 7, 2, 2, 6), lambda: GPT(11, 7, 2, 2, 6, True), IDX),
    "gpt-untied": (
        lambda: models.GPT(11, 7, 2, 3, 6, tied=False),
        lambda: GPT(11, 7, 2, 3, 6, False),
        IDX[:, :5],
    ),
    "transformer": (
        lambda: models.TransformerClassifier(11, 3, 6, 2, 2, max_len=13, dropout=0.0),
        lambda: TransformerClassifier(11, 3, 6, 2, 13),
        PADDED,
    ),
}


def given(x: Any, dtype: str) -> Any:
    return x.astype(dtype) if x.dtype.kind == "f" else x


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_same_weights_same_everything(twins: Any, name: str, dtype: str, training: bool) -> None:
    ours, theirs, x = CASES[name]
    torch.manual_seed(0)
    twins(ours(), theirs(), [given(x, dtype)], dtype=dtype, training=training, times=2)


@pytest.mark.parametrize("name", CASES)
def test_a_file_from_pytorch(name: str, tmp_path: Path, near: Any) -> None:
    from safetensors.torch import save_model

    make, make_theirs, x = CASES[name]
    x = given(x, "float32")
    ours, theirs = make(), make_theirs()
    theirs.train()(torch.tensor(x))  # so that running statistics are no longer 0 and 1
    save_model(theirs, str(tmp_path / "theirs.safetensors"))  # holds a tied tensor once
    ours.load_state_dict(gradling.load(tmp_path / "theirs.safetensors"))
    compare(ours, theirs, x, near)


@pytest.mark.parametrize("name", CASES)
def test_a_file_for_pytorch(name: str, tmp_path: Path, near: Any) -> None:
    from safetensors.torch import load_file, load_model

    make, make_theirs, x = CASES[name]
    x = given(x, "float32")
    ours = make()
    ours.train()(gradling.tensor(x))
    gradling.save(ours.state_dict(), tmp_path / "ours.safetensors")
    theirs, again = make_theirs(), make_theirs()
    theirs.load_state_dict(load_file(str(tmp_path / "ours.safetensors")))
    compare(ours, theirs, x, near)
    if name != "gpt":  # PyTorch's loader expects a tied tensor under one name only
        load_model(again, str(tmp_path / "ours.safetensors"))
        compare(ours, again, x, near)


def compare(ours: Any, theirs: Any, x: Any, near: Any) -> None:
    """Outputs and gradients, in evaluation."""
    ours.eval().zero_grad()
    theirs.eval().zero_grad()
    a, b = ours(gradling.tensor(x)), theirs(torch.tensor(x))
    near("output", a, b)
    (a * a).mean().backward()
    (b * b).mean().backward()
    named = dict(ours.named_parameters())
    assert list(named) == [name for name, _ in theirs.named_parameters()]
    for name, p in theirs.named_parameters():
        near(f"gradient of {name}", named[name].grad, p.grad)


def test_resnet_of_full_width_takes_the_keys_and_shapes_of_torchvision() -> None:
    ours, theirs = models.ResNet18().state_dict(), ResNet18(1000, "imagenet", 64).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: tuple(v.shape) for k, v in theirs.items()}
    assert ours["layer4.1.conv2.weight"].shape == (512, 512, 3, 3) and len(ours) == 122
