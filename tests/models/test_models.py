"""The whole models: shapes, names, counts, gradients, summaries, pictures, refusals."""

from __future__ import annotations

from typing import Any

import pytest

import gradling
from gradling import nn, testing, viz
from gradling.models import (
    GPT,
    BasicBlock,
    LeNet5,
    MLPClassifier,
    ResNet18,
    TransformerClassifier,
)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def tokens(*shape: int, below: int = 5) -> Any:
    return gradling.randint(1, below, shape, generator=gradling.Generator(0))


def tiny() -> dict[str, tuple[Any, Any]]:
    """Each model at its smallest, and an input for it."""
    gradling.manual_seed(0)
    return {
        "mlp": (MLPClassifier(6, 3, (4,), activation=nn.Tanh), gradling.randn(3, 2, 3)),
        "lenet": (LeNet5(3, image_size=12), gradling.randn(2, 1, 12, 12)),
        "resnet": (ResNet18(3, stem="cifar", width=1), gradling.randn(2, 3, 8, 8)),
        "resnet-imagenet": (ResNet18(2, width=1, in_channels=1), gradling.randn(2, 1, 40, 33)),
        "gpt": (GPT(5, 4, n_layer=1, n_head=2, n_embd=4), tokens(2, 4)),
        "gpt-untied": (GPT(5, 4, 1, 1, 4, tied=False, bias=False, dropout=0.5), tokens(2, 3)),
        "transformer": (TransformerClassifier(5, 2, 4, 2, 1, max_len=4), tokens(2, 3)),
    }


OUTPUTS = {
    "mlp": (3, 3), "lenet": (2, 3), "resnet": (2, 3), "resnet-imagenet": (2, 2),
    "gpt": (2, 4, 5), "gpt-untied": (2, 3, 5), "transformer": (2, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
def test_shapes_and_summaries(name: str) -> None:
    model, x = tiny()[name]
    assert model(x).shape == OUTPUTS[name]
    s = nn.summary(model, x)
    assert s.error is None and s.parameters == count(model)
    assert s.rows[0].output == OUTPUTS[name] and s.multiply_adds > 0
    assert "failed" not in str(s)


def right(model: nn.Module, x: Any) -> None:
    report = testing.check_module(model, x, loss=lambda y: (y * y).mean())
    assert report.verdict == "correct", str(report)
    wanted = {name for name, p in model.named_parameters() if p.requires_grad}
    assert {o.name for o in report.operands} == wanted


@pytest.mark.parametrize("name", ["mlp", "lenet", "gpt", "gpt-untied", "transformer"])
def test_gradients_by_every_parameter(name: str) -> None:
    right(*tiny()[name])


def test_gradients_of_resnet_by_some_parameters() -> None:
    model, x = tiny()["resnet"]
    for name, p in model.named_parameters():  # each costs two dozen runs of the whole net
        p.requires_grad_(name.startswith(("conv1", "bn1", "layer2.0", "fc")))
    right(model.eval(), x)


@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_of_a_residual_block_in_training(stride: int) -> None:
    gradling.manual_seed(0)
    right(BasicBlock(2, 3 if stride == 2 else 2, stride), gradling.randn(3, 2, 5, 3))


@pytest.mark.parametrize("name", OUTPUTS)
def test_weights_go_through_a_file(name: str, tmp_path: Any) -> None:
    model, x = tiny()[name]
    fresh, _ = tiny()[name]
    for p in fresh.parameters():
        nn.init.ones_(p)
    for suffix in (".safetensors", ".npz"):
        gradling.save(model.state_dict(), tmp_path / f"w{suffix}")
        fresh.load_state_dict(gradling.load(tmp_path / f"w{suffix}"))
        assert fresh.eval()(x).tolist() == model.eval()(x).tolist()


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("lenet", ["conv1", "conv2", "fc1", "fc2", "fc3"]),
        ("resnet", ["conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc"]),
        ("gpt", ["positions", "blocks.0", "norm"]),
        ("transformer", ["tokens", "positions", "encoder", "encoder.layers.0", "head"]),
        ("mlp", ["layers"]),
    ],
)
def test_pictures_have_their_parts_framed(name: str, frames: list[str]) -> None:
    model, x = tiny()[name]
    shown = {frame.label for frame in viz.draw(model(x), params=model).graph.clusters}
    assert shown >= set(frames)


def test_parameters_are_as_many_as_published() -> None:
    assert count(LeNet5()) == count(LeNet5(image_size=32)) == 61_706
    assert count(ResNet18()) == 11_689_512
    assert count(ResNet18(10, stem="cifar")) == 11_173_962
    assert count(MLPClassifier(784, 10, ())) == 7_850
    # GPT-2's smallest: 124,439,808, by the formula and not by drawing them all
    V, T, L, E = 50257, 1024, 12, 768
    small = GPT(11, 6, n_layer=2, n_head=2, n_embd=8)

    def formula(V: int, T: int, L: int, E: int) -> int:
        return V * E + T * E + L * (12 * E * E + 13 * E) + 2 * E

    assert formula(V, T, L, E) == 124_439_808 and count(small) == formula(11, 6, 2, 8)


def test_names() -> None:
    layer = [
        "conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var",
        "bn1.num_batches_tracked", "conv2.weight", "bn2.weight", "bn2.bias", "bn2.running_mean",
        "bn2.running_var", "bn2.num_batches_tracked",
    ]  # fmt: skip
    down = ["0.weight", *(f"1.{name.partition('.')[2]}" for name in layer[1:6])]
    for stem in ("imagenet", "cifar"):
        keys = list(ResNet18(2, stem=stem, width=1).state_dict())
        wanted = layer[:6]
        for stage in range(1, 5):
            for block in range(2):
                wanted += [f"layer{stage}.{block}.{name}" for name in layer]
                if stage > 1 and block == 0:
                    wanted += [f"layer{stage}.0.downsample.{name}" for name in down]
        assert keys == [*wanted, "fc.weight", "fc.bias"]
    assert [name for name, _ in LeNet5().named_children()] == [
        "conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3",
    ]  # fmt: skip
    tied, untied = (GPT(5, 4, 1, 1, 4, tied=tied) for tied in (True, False))
    assert list(tied.state_dict()) == list(untied.state_dict())
    assert tied.head.weight is tied.tokens.weight and count(untied) == count(tied) + 5 * 4


def test_resnet_starts_as_the_paper_says() -> None:
    gradling.manual_seed(0)
    model = ResNet18(10, stem="cifar", width=16)
    for conv in (model.conv1, model.layer3[1].conv2):
        expected = (2 / (9 * conv.out_channels)) ** 0.5
        assert conv.weight.std().item() == pytest.approx(expected, rel=0.1)
    # blocks keep the size of what flows, by their norms
    assert 0.1 < model(gradling.randn(8, 3, 16, 16)).std().item() < 3


def test_a_gpt_starts_near_uniform() -> None:
    gradling.manual_seed(0)
    model = GPT(30, 16, n_layer=3, n_head=2, n_embd=32)
    idx = tokens(8, 17, below=30)
    logits = model(idx[:, :-1])
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), idx[:, 1:].flatten())
    assert loss.item() == pytest.approx(gradling.log(gradling.tensor(30.0)).item(), abs=0.1)


def test_a_gpt_sees_only_what_was_before() -> None:
    model, _ = tiny()["gpt"]
    a = gradling.tensor([[1, 2, 3, 4]])
    b = gradling.tensor([[1, 2, 0, 0]])
    ya, yb = model(a), model(b)
    assert ya[:, :2].tolist() == yb[:, :2].tolist() and ya[:, 2:].tolist() != yb[:, 2:].tolist()


class TestGenerate:
    def test_the_generator_decides(self) -> None:
        model, _ = tiny()["gpt-untied"]
        start = tokens(3, 2)
        draws = [
            model.generate(start, 9, generator=gradling.Generator(seed)).tolist()
            for seed in (0, 0, 1)
        ]
        assert draws[0] == draws[1] != draws[2]
        assert all(row[:2] == s for row, s in zip(draws[0], start.tolist(), strict=True))
        gradling.manual_seed(3)
        first = model.generate(start, 5).tolist()
        gradling.manual_seed(3)
        assert model.generate(start, 5).tolist() == first

    def test_modes_are_as_before_and_no_graph_is_kept(self) -> None:
        model, idx = tiny()["gpt-untied"]
        model.train()
        model.blocks[0].eval()
        before = [m.training for m in model.modules()]
        seen = []
        handle = model.register_forward_hook(
            lambda m, x, y: seen.append((y.requires_grad, m.training, m.blocks[0].training))
        )
        assert not model.generate(idx, 2).requires_grad
        assert seen == [(False, False, False)] * 2
        assert [m.training for m in model.modules()] == before
        handle.remove()
        model.register_forward_hook(lambda m, x, y: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model.generate(idx, 1)
        assert [m.training for m in model.modules()] == before and gradling.is_grad_enabled()

    def test_it_looks_at_the_last_tokens_only(self) -> None:
        model, _ = tiny()["gpt"]
        long = tokens(2, 9)
        a = model.generate(long, 3, temperature=0)
        b = model.generate(long[:, -4:], 3, temperature=0)
        assert a.shape == (2, 12) and a[:, -7:].tolist() == b.tolist()

    def test_temperature_and_top_k(self) -> None:
        model, idx = tiny()["gpt-untied"]
        likeliest = model.eval()(idx)[:, -1].argmax(1).tolist()
        for settings in ({"temperature": 0}, {"temperature": 1e-30}, {"top_k": 1}):
            assert model.generate(idx, 1, **settings)[:, -1].tolist() == likeliest
        many = idx[:1].repeat(500, 1)
        drawn = model.generate(many, 1, top_k=2, generator=gradling.Generator(0))[:, -1]
        assert set(drawn.tolist()) == set(model(idx[:1])[0, -1].topk(2).indices.tolist())
        drawn = model.generate(many, 1, 100.0, top_k=99, generator=gradling.Generator(0))[:, -1]
        assert set(drawn.tolist()) == set(range(5))
        assert model.generate(idx, 0).tolist() == idx.tolist()

    def test_refusals(self) -> None:
        model, idx = tiny()["gpt"]
        for bad in (idx[0], idx[:, :0]):
            with pytest.raises(ValueError, match="T at least 1.*means the start"):
                model.generate(bad, 1)
        for args in ((-1,), (1, -0.5), (1, 1.0, 0)):
            with pytest.raises(ValueError, match="expected max_new_tokens"):
                model.generate(idx, *args)


def test_padding_changes_nothing() -> None:
    model, _ = tiny()["transformer"]
    model.eval()
    short, long = gradling.tensor([[1, 2]]), gradling.tensor([[1, 2, 0, 0]])
    assert gradling.allclose(model(short), model(long), atol=1e-6)
    assert gradling.allclose(model(long[:, 2:])[0], model.head.bias)
    free = TransformerClassifier(5, 2, 4, 2, 1, padding_idx=None).eval()
    assert not gradling.allclose(free(short), free(long), atol=1e-6)


def test_layers_of_the_transformer_start_apart() -> None:
    a, b = TransformerClassifier(5, 2, 8, 2, 2).encoder.layers
    assert a.linear1.weight.tolist() != b.linear1.weight.tolist()


REFUSED: list[tuple[str, Any, str]] = [
    ("mlp", (3, 7), r"expected \(N, 6\).*got \(3, 7\)"),
    ("mlp", (6,), r"wants a batch axis: x.unsqueeze\(0\)"),
    ("lenet", (2, 1, 28, 28), r"images \(N, 1, 12, 12\), got .*interpolate\(x, \(12, 12\)\)"),
    ("lenet", (2, 12, 12), r"single image wants a batch axis, x.unsqueeze\(0\)"),
    ("lenet", (2, 144), r"x.reshape\(-1, channels, height, width\)"),
    ("lenet", (2, 12, 12, 1), r"x.permute\(0, 3, 1, 2\)"),
    ("resnet", (2, 1, 8, 8), r"axis 1 is 1; make the model with in_channels=1"),
    ("gpt", "long", r"5 tokens is longer than block_size = 4; cut it, idx\[:, -4:\]"),
    ("gpt", "flat", r"idx.unsqueeze\(0\)"),
    ("transformer", "long", r"longer than max_len = 4"),
]


@pytest.mark.parametrize(("name", "shape", "said"), REFUSED)
def test_refusals(name: str, shape: Any, said: str) -> None:
    model, _ = tiny()[name]
    if shape == "long":
        x = tokens(2, 5)
    else:
        x = tokens(3) if shape == "flat" else gradling.zeros(*shape)
    with pytest.raises(ValueError, match=said):
        model(x)


def test_the_fixes_that_are_named_work() -> None:
    lenet, _ = tiny()["lenet"]
    lenet(nn.functional.interpolate(gradling.zeros(2, 1, 28, 28), (12, 12)))
    lenet(gradling.zeros(2, 12, 12, 1).permute(0, 3, 1, 2))
    gpt, _ = tiny()["gpt"]
    gpt(tokens(2, 5)[:, -4:])
    gpt(tokens(3).unsqueeze(0))
    with pytest.raises(TypeError, match=r"whole numbers, got float32.*idx.long\(\)"):
        gpt(gradling.ones(2, 3))
    gpt(gradling.ones(2, 3).long())


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="stem must be 'imagenet' or 'cifar', got 'mnist'"):
        ResNet18(stem="mnist")
    with pytest.raises(ValueError, match="nothing of 8x8 pixels; image_size must be at least 12"):
        LeNet5(image_size=8)
    with pytest.raises(ValueError, match="hidden must be at least 1, got 0"):
        MLPClassifier(2, 2, (0,))
    with pytest.raises(ValueError, match="3 heads do not divide embed_dim = 16; 1, 2, 4, 8, 16 do"):
        GPT(5, 4, n_head=3, n_embd=16)
