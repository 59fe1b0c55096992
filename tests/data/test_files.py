"""Data sets in files: found, read, refused when damaged, and fetched from a server."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import os
import struct
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradling.data import CIFAR10, EMNIST, KMNIST, MNIST, DataLoader, FashionMNIST, read_idx
from gradling.data.download import download
from gradling.data.transforms import Normalize, one_hot


def idx(array: Any, code: int = 0x08) -> bytes:
    array = np.asarray(array)
    head = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def tiny(n: int, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (n, 28, 28), np.uint8), random.integers(0, 10, n, np.uint8)


def put(folder: Path, prefix: str, n: int = 6, packed: bool = True) -> tuple[Any, Any]:
    images, labels = tiny(n)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        data = idx(array)
        name = f"{prefix}-{kind}-ubyte" + (".gz" if packed else "")
        (folder / name).write_bytes(gzip.compress(data) if packed else data)
    return images, labels


@pytest.mark.parametrize(
    ("code", "dtype"),
    [(8, "u1"), (9, "i1"), (0xB, "i2"), (0xC, "i4"), (0xD, "f4"), (0xE, "f8")],
)
@pytest.mark.parametrize("shape", [(7,), (2, 3), (2, 3, 4), (0, 5)])
def test_every_type_and_shape(
    code: int, dtype: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    for name, data in (("a.idx", idx(array, code)), ("b.idx", gzip.compress(idx(array, code)))):
        (tmp_path / name).write_bytes(data)
        back = read_idx(tmp_path / name)
        assert back.dtype == array.dtype and back.shape == shape and (back == array).all()
        assert back.flags.writeable


WHOLE = idx(tiny(3)[0])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "not an IDX file.*begins with nothing"),
        (b"\x89PNG....", "not an IDX file.*begins with 89 50 4e 47"),
        (b"\0\0\x08\0", "not an IDX file"),
        (b"\0\0\x07\x01\0\0\0\0", "not an IDX file"),
        (WHOLE[:9], "cut short within its header"),
        (WHOLE[:-1], r"promises 2,352 bytes for shape \(3, 28, 28\), 2,351 are there"),
        (WHOLE + b"x", "promises 2,352 bytes.*more are there"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "promises .* 0 are there"),
        (gzip.compress(WHOLE)[:-20], "corrupt or cut short"),
        (gzip.compress(WHOLE)[:40] + b"\0" * 30 + gzip.compress(WHOLE)[70:], "corrupt|cut short"),
        (gzip.compress(WHOLE)[:-8] + b"\0" * 8, "corrupt or cut short"),
    ],
)
def test_damaged_idx_files_are_refused(data: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(data)
    with pytest.raises(ValueError, match=text) as caught:
        read_idx(tmp_path / "bad")
    assert str(tmp_path / "bad") in str(caught.value)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", ["", "MNIST", "MNIST/raw"])
def test_files_are_found(packed: bool, below: str, tmp_path: Path) -> None:
    images, labels = put(tmp_path / below, "train", packed=packed)
    data = MNIST(tmp_path)
    assert repr(data) == "MNIST(6 images of 1 x 28 x 28)" and len(data) == 6
    assert (data.data[:, 0] == images).all() and (data.targets == labels).all()
    image, label = data[2]
    assert image.shape == (1, 28, 28) and type(label) is int and label == labels[2]
    assert np.allclose(image.numpy() * 255, images[2], atol=1e-4)


def test_the_folder_can_be_set_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "here" / "KMNIST", "t10k")
    monkeypatch.setenv("GRADLING_DATA", str(tmp_path / "here"))
    assert len(KMNIST(train=False)) == 6
    # all the family uses the same file names: the bare folder would give the wrong set
    put(tmp_path / "here", "t10k")
    with pytest.raises(FileNotFoundError):
        FashionMNIST(train=False)
    monkeypatch.delenv("GRADLING_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    put(tmp_path / "cache" / "gradling" / "FashionMNIST" / "raw", "t10k")
    assert len(FashionMNIST(train=False)) == 6


@pytest.mark.parametrize("kind", [MNIST, FashionMNIST, KMNIST, EMNIST, CIFAR10])
def test_missing_files_are_named(kind: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        kind(tmp_path)
    text = str(caught.value)
    assert f"{kind.__name__} is not here. Pass download=True" in text and kind.mirror in text
    assert str(tmp_path / kind.__name__) in text and "GRADLING_DATA" in text
    wanted = getattr(kind, "archive", "train-labels-idx1-ubyte.gz")
    assert wanted in text
    assert list(tmp_path.iterdir()) == []


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    put(tmp_path, "train")
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(tiny(5)[1])))
    with pytest.raises(ValueError, match=r"\(6, 28, 28\), the label file \(5,\)"):
        MNIST(tmp_path)


def test_batches_and_transforms(tmp_path: Path) -> None:
    images, labels = put(tmp_path, "train", n=10)
    sizes: list[Any] = []

    def own(image: Any) -> Any:
        sizes.append(image.shape)
        return image[:, :2, :2]

    data = MNIST(tmp_path, transform=Normalize([0.5], [0.25]))
    [(x, y)] = DataLoader(data, batch_size=10)
    assert x.shape == (10, 1, 28, 28) and y.tolist() == labels.tolist()
    assert np.allclose(x.numpy()[:, 0], (images / 255 - 0.5) / 0.25, atol=1e-5)
    alone = data[4][0]
    assert (alone.numpy() == x.numpy()[4]).all()
    data = MNIST(tmp_path, transform=own, target_transform=lambda label: one_hot(label, 10))
    [(x, y)] = DataLoader(data, batch_size=10)
    assert x.shape == (10, 1, 2, 2) and set(sizes) == {(1, 28, 28)} and y.shape == (10, 10)


def test_emnist_from_its_archive_and_from_files(tmp_path: Path) -> None:
    images, labels = tiny(4)
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as packed:
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            name = f"emnist-digits-test-{kind}-ubyte.gz"
            packed.writestr(f"gzip/{name}", gzip.compress(idx(array)))
    data = EMNIST(tmp_path, train=False)
    assert (data.data[:, 0] == images.swapaxes(1, 2)).all() and (data.targets == labels).all()
    with pytest.raises(ValueError, match="corrupt or another archive"):
        EMNIST(tmp_path, train=True)
    (tmp_path / "gzip.zip").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="corrupt or another archive"):
        EMNIST(tmp_path, train=False)
    put(tmp_path, "emnist-digits-test")
    assert len(EMNIST(tmp_path, train=False)) == 6
    with pytest.raises(ValueError, match='split must be "digits"'):
        EMNIST(tmp_path, split="letters")


def cifar_batch(n: int, seed: int) -> bytes:
    random = np.random.default_rng(seed)
    records = random.integers(0, 256, (n, 3073), np.uint8)
    records[:, 0] = random.integers(0, 10, n)
    return records.tobytes()


def cifar_archive(path: Path, names: Any) -> None:
    with tarfile.open(path, "w:gz") as packed:
        for i, name in enumerate(names):
            data = cifar_batch(3, i)
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))


CIFAR_FILES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]


def test_cifar_from_its_archive_and_from_files(tmp_path: Path) -> None:
    cifar_archive(tmp_path / "cifar-10-binary.tar.gz", CIFAR_FILES)
    train, test = CIFAR10(tmp_path), CIFAR10(tmp_path, train=False)
    assert len(train) == 15 and len(test) == 3 and train[0][0].shape == (3, 32, 32)
    record = np.frombuffer(cifar_batch(3, 1), np.uint8).reshape(3, 3073)[2]
    assert train.targets[5] == record[0]
    # red, green and blue planes follow each other, rows first
    assert (train.data[5, 1, 2] == record[1 + 1024 + 64 : 1 + 1024 + 96]).all()
    other = tmp_path / "unpacked" / "cifar-10-batches-bin"
    other.mkdir(parents=True)
    (other / "test_batch.bin").write_bytes(cifar_batch(3, 5))
    again = CIFAR10(other.parent, train=False)
    assert (again.data == test.data).all() and (again.targets == test.targets).all()
    (other / "test_batch.bin").write_bytes(cifar_batch(3, 5)[:-1])
    with pytest.raises(ValueError, match="whole records of 3073 bytes, it has 9,218 bytes"):
        CIFAR10(other.parent, train=False)
    (other / "test_batch.bin").write_bytes(b"\x0a" + bytes(3072))
    with pytest.raises(ValueError, match="label 10 where 0 to 9 are possible"):
        CIFAR10(other.parent, train=False)


def test_damaged_cifar_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cifar-10-binary.tar.gz"
    cifar_archive(path, CIFAR_FILES[:2])
    with pytest.raises(ValueError, match="another archive"):
        CIFAR10(tmp_path)
    cifar_archive(path, CIFAR_FILES)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(ValueError, match="cut short"):
        CIFAR10(tmp_path)
    path.write_bytes(b"not an archive")
    with pytest.raises(ValueError, match="corrupt"):
        CIFAR10(tmp_path)


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `files`; can break off after some bytes, ignore ranges, or send other bytes."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        data = server.files.get(self.path)
        if data is None:
            return self.send_error(404)
        start = 0
        if (wanted := self.headers.get("Range")) and server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        stop = len(data) if server.breaks_after is None else start + server.breaks_after
        self.wfile.write(data[start:stop])

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.files, server.asked = {}, []  # type: ignore[attr-defined]
        server.ranges, server.breaks_after = True, None  # type: ignore[attr-defined]
        server.url = f"http://127.0.0.1:{server.server_port}/"  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_download(server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = server.files["/a"] = os.urandom(300_000)
    path = download(server.url + "a", tmp_path / "deep" / "a", md5=md5(data))
    assert path.read_bytes() == data and [p.name for p in path.parent.iterdir()] == ["a"]
    assert "downloading a, 0.3 MB" in capsys.readouterr().err
    download(server.url + "a", path, md5=md5(data))
    assert len(server.asked) == 1, "a file that is right is not fetched again"
    path.write_bytes(b"damaged since")
    assert download(server.url + "a", path, md5=md5(data)).read_bytes() == data


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on(server: Any, tmp_path: Path, ranges: bool) -> None:
    data = server.files["/a"] = os.urandom(200_000)
    server.ranges, server.breaks_after = ranges, 70_000
    with pytest.raises(OSError, match="what has come is kept"):
        download(server.url + "a", tmp_path / "a", md5=md5(data))
    assert not (tmp_path / "a").exists() and (tmp_path / "a.part").stat().st_size == 70_000
    server.breaks_after = None
    download(server.url + "a", tmp_path / "a", md5=md5(data))
    assert (tmp_path / "a").read_bytes() == data and not (tmp_path / "a.part").exists()
    assert server.asked[-1][1] == "bytes=70000-"


def test_wrong_bytes_are_never_left_behind(server: Any, tmp_path: Path) -> None:
    server.files["/a"] = b"something else"
    with pytest.raises(ValueError, match="it was deleted.*by hand"):
        download(server.url + "a", tmp_path / "a", md5=md5(b"what was promised"))
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_another_file_are_not_trusted(server: Any, tmp_path: Path) -> None:
    data = server.files["/a"] = b"short"
    (tmp_path / "a.part").write_bytes(b"much longer than the file itself")
    assert download(server.url + "a", tmp_path / "a", md5=md5(data)).read_bytes() == data
    (tmp_path / "b.part").write_bytes(b"xx")
    with pytest.raises(ValueError, match="it was deleted"):
        download(server.url + "a", tmp_path / "b", md5=md5(data))
    assert download(server.url + "a", tmp_path / "b", md5=md5(data)).read_bytes() == data


def test_no_server_and_no_file(server: Any, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"could not download .*404.*by hand"):
        download(server.url + "none", tmp_path / "a")
    server.shutdown()
    server.server_close()
    with pytest.raises(OSError, match="could not download .*put the file at .*a by hand"):
        download(server.url + "a", tmp_path / "a", timeout=5)
    assert list(tmp_path.iterdir()) == []


def test_mnist_downloads_what_it_needs(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, labels = tiny(5)
    names = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    for name, array in zip(names, (images, labels), strict=True):
        server.files[f"/{name}.gz"] = gzip.compress(idx(array))
    monkeypatch.setattr(MNIST, "mirror", server.url)
    sums = {name: md5(server.files[f"/{name}.gz"]) for name in names}
    monkeypatch.setattr(MNIST, "files", sums)
    data = MNIST(tmp_path, train=False, download=True)
    assert (data.data[:, 0] == images).all()
    folder = tmp_path / "MNIST" / "raw"
    assert sorted(p.name for p in folder.iterdir()) == [f"{name}.gz" for name in names]
    assert len(MNIST(tmp_path, train=False)) == 5 and len(server.asked) == 2


@pytest.mark.parametrize("kind", [EMNIST, CIFAR10])
def test_archives_are_downloaded(
    kind: Any, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / kind.archive
    if kind is CIFAR10:
        cifar_archive(made, CIFAR_FILES)
    else:
        with zipfile.ZipFile(made, "w") as packed:
            for what, array in zip(("images-idx3", "labels-idx1"), tiny(15), strict=True):
                packed.writestr(
                    f"gzip/emnist-digits-train-{what}-ubyte.gz", gzip.compress(idx(array))
                )
    server.files[f"/{kind.archive}"] = made.read_bytes()
    monkeypatch.setattr(kind, "mirror", server.url)
    monkeypatch.setattr(kind, "archive_md5", md5(made.read_bytes()))
    assert len(kind(tmp_path / "new", download=True)) == 15
    assert len(kind(tmp_path / "new")) == 15 and len(server.asked) == 1


def test_the_real_fashion_files(real_data: Path) -> None:
    data = FashionMNIST(real_data, train=False)
    assert data.data.shape == (10_000, 1, 28, 28)
    assert np.bincount(data.targets).tolist() == [1000] * 10
    assert data.classes[data[0][1]] == "Ankle boot" and data.data.max() == 255
